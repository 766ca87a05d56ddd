// SPDX-License-Identifier: GPL-2.0
#include "mutate.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>
#include <stdexcept>
#include <system_error>

#include "builder.h"
#include "content.h"
#include "descriptor.h"
#include "files.h"
#include "jail.h"
#include "prebuilt.h"
#include "process.h"
#include "scratch.h"
#include "skeleton.h"
#include "students_part.h"

namespace fwts::grader {
namespace fs = std::filesystem;
namespace {

using nlohmann::json;

// Raise it when a judgement comes about in another way.
constexpr int format = 1;

constexpr std::array fates{Fate::killed,    Fate::survived,         Fate::equivalent,
                           Fate::same_code, Fate::does_not_compile, Fate::grader_error};

Fate fate_called(const std::string& word) {
    for (const auto fate : fates)
        if (word == to_string(fate)) return fate;
    return Fate::grader_error;
}

std::string as_line(const Judgement& judgement) {
    return json{{"fate", to_string(judgement.fate)}, {"by", judgement.by}}.dump(
        -1, ' ', false, json::error_handler_t::replace);
}

Judgement from_json(const json& line) {
    return {fate_called(line.value("fate", "")), line.value("by", "")};
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): a handler has nothing else
volatile std::sig_atomic_t asked_to_end = 0;

/// SIGINT and SIGTERM are noted for as long as this lives.
class Handlers {
  public:
    Handlers() {
        asked_to_end = 0;
        struct sigaction action{};
        action.sa_handler = [](int) { asked_to_end = 1; };
        sigaction(SIGINT, &action, &interrupt_);
        sigaction(SIGTERM, &action, &terminate_);
    }
    ~Handlers() {
        sigaction(SIGINT, &interrupt_, nullptr);
        sigaction(SIGTERM, &terminate_, nullptr);
    }
    Handlers(const Handlers&) = delete;
    Handlers& operator=(const Handlers&) = delete;

  private:
    struct sigaction interrupt_{};
    struct sigaction terminate_{};
};

/// A process that judges one suspect and writes a line about it.
class Child {
  public:
    explicit Child(const Suspect& suspect) : suspect_(suspect) {
        Pipe ends = make_pipe();
        const pid_t parent = getpid();
        pid_ = fork();
        if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "cannot fork");
        if (pid_ == 0) judge(ends.write_end.get(), parent);
        pipe_ = std::move(ends.read_end);
    }
    ~Child() {
        if (pid_ < 0) return;
        // Its guest and its compiler die with it.
        kill(pid_, SIGKILL);
        wait_for(pid_);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    int pipe() const { return pipe_.get(); }
    const Suspect& suspect() const { return suspect_; }

    /// Reads what is there. @return whether it has ended.
    bool read_on() {
        std::array<char, 4096> buffer{};
        const auto got = read(pipe_.get(), buffer.data(), buffer.size());
        if (got > 0) text_.append(buffer.data(), static_cast<std::size_t>(got));
        return got == 0 || (got < 0 && errno != EINTR);
    }

    Judgement judgement() {
        const int status = wait_for(std::exchange(pid_, -1));
        const auto line = json::parse(text_, nullptr, false);
        if (line.is_object()) return from_json(line);
        return {Fate::grader_error,
                WIFSIGNALED(status)
                    ? fmt::format("the process that graded it died of signal {}", WTERMSIG(status))
                    : fmt::format("the process that graded it ended with status {}",
                                  WEXITSTATUS(status))};
    }

  private:
    [[noreturn]] void judge(int out, pid_t parent) const {
        signal(SIGINT, SIG_IGN);  // the parent's to answer
        signal(SIGTERM, SIG_DFL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(1);
        Judgement judgement;
        try {
            judgement = suspect_.judge();
        } catch (const std::exception& error) {
            judgement = {Fate::grader_error, error.what()};
        }
        const auto line = as_line(judgement);
        _exit(write(out, line.data(), line.size()) == static_cast<ssize_t>(line.size()) ? 0 : 1);
    }

    const Suspect& suspect_;
    pid_t pid_ = -1;
    Descriptor pipe_;
    std::string text_;
};

/// Of what decides a verdict, all that lies in files of ours.
std::string grader_text(const Places& places) {
    // What only shows verdicts, or makes subjects, decides none.
    static const std::regex decides_nothing(
        "(main|report|mutat|students_part|c_tokens|clauses|repeat|selftest|classroom).*|.*_test\\.."
        "*");
    std::vector<fs::path> files;
    const auto top = places.labs.parent_path();
    for (const auto& dir :
         {places.labs / "grader", top / "code" / "base", top / "qemu" / "sandbox"})
        for (const auto& entry : fs::directory_iterator(dir))
            if (entry.is_regular_file() &&
                !std::regex_match(entry.path().filename().string(), decides_nothing) &&
                (entry.path().extension() == ".cc" || entry.path().extension() == ".h"))
                files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    std::string text;
    for (const auto& file : files)
        text += fmt::format("{}\n{}\n", file.filename().string(), read_file(file));
    return text;
}

std::string hash_of(const std::string& text) {
    return fmt::format("{:016x}{:016x}", content_hash(text), content_hash(text + "#"));
}

/// A lab's reference, built, and all its mutations.
class Workshop {
  public:
    Workshop(const Lab& lab, const Scenario& scenario, const Places& places)
        : lab_(lab), scenario_(scenario), places_(places) {
        make_solution(lab, places.driver, solution());
        files_ = students_part(lab, solution());
        all_ = mutations_of(files_);
    }

    const std::vector<StudentFile>& files() const { return files_; }
    const std::vector<Mutation>& all() const { return all_; }

    std::string text_of(const Mutation& mutation) const {
        return std::find_if(files_.begin(), files_.end(),
                            [&](const auto& one) { return one.name == mutation.file; })
            ->text;
    }

    /// What a suspect is made of. Builds the reference before the first.
    std::vector<Suspect> suspects(const std::vector<Mutation>& chosen, std::uint64_t seed) {
        build_reference();
        const auto common = hash_of(common_text(seed));
        std::vector<Suspect> suspects;
        suspects.reserve(chosen.size());
        for (const auto& one : chosen)
            suspects.push_back({one.name(),
                                hash_of(common + one.file + "\n" + one.applied(text_of(one))),
                                [this, &one, seed] { return judge(one, seed); }});
        return suspects;
    }

  private:
    fs::path solution() const { return scratch_.path() / "solution"; }

    void build_reference() {
        require_kernel(places_.kernel);
        require_jail();
        objects_ = prebuilt(solution(), places_.kernel, places_.cache);
        const auto built = build(solution(), scratch_.path() / "reference");
        if (!built.ok)
            throw std::runtime_error(fmt::format("the reference of lab {} does not compile: {}",
                                                 lab_.name, built.message));
        code_ = read_file(built.module);
    }

    BuildResult build(const fs::path& sources, const fs::path& out) const {
        fs::create_directories(out);
        return build_module(sources, places_.kernel, objects_, out, build_limits());
    }

    std::string common_text(std::uint64_t seed) const {
        const auto& guest = lab_.guest;
        std::string text = fmt::format("format {}\nseed {}\nguest {} {} {}\n", format, seed,
                                       guest.cpus, guest.acpi, guest.bounce);
        for (const auto* list : {&guest.modules, &guest.companions, &guest.programs})
            for (const auto& name : *list) text += name + "\n";
        for (const auto& [name, value] : lab_.params) text += fmt::format("{} {}\n", name, value);
        text += fs::canonical(places_.kernel).string() + "\n";
        text += read_file(lab_.directory / "scenario.cc");
        std::vector<fs::path> sources;
        for (const auto& entry : fs::directory_iterator(solution()))
            sources.push_back(entry.path());
        std::sort(sources.begin(), sources.end());
        for (const auto& file : sources)
            text += fmt::format("{}\n{}\n", file.filename().string(), read_file(file));
        return text + grader_text(places_);
    }

    Judgement judge(const Mutation& mutation, std::uint64_t seed) const {
        // Below the parent's, which goes whatever becomes of this process.
        setenv("TMPDIR", scratch_.path().c_str(), 1);
        const Scratch scratch("mutant");
        const auto sources = scratch.path() / "sources";
        fs::copy(solution(), sources);
        write_file(sources / mutation.file, mutation.applied(text_of(mutation)));
        const auto built = build(sources, scratch.path() / "out");
        if (!built.ok)
            return {Fate::does_not_compile,
                    built.messages.empty() ? built.message : built.messages.front()};
        if (read_file(built.module) == code_) return {Fate::same_code, ""};
        Request request;
        request.submission = sources;
        request.seed = seed;
        request.module = built.module;
        request.first_failure = true;
        return verdict(grade(lab_, scenario_, places_, request, Watcher{}));
    }

    static Judgement verdict(const Report& report) {
        if (report.stage != Stage::graded) return {Fate::grader_error, report.message};
        if (report.full_marks()) return {Fate::survived, ""};
        for (const auto& check : report.checks)
            if (check.verdict.outcome == Outcome::fail) return {Fate::killed, check.id};
        return {Fate::grader_error, "no check failed, and yet there are no full marks"};
    }

    const Lab& lab_;
    const Scenario& scenario_;
    const Places& places_;
    Scratch scratch_{"mutate"};
    std::vector<StudentFile> files_;
    std::vector<Mutation> all_;
    fs::path objects_;
    std::string code_;
};

/// What is asked for, of all there are.
std::vector<Mutation> chosen(const std::vector<Mutation>& all, const MutateOptions& options,
                             const Equivalents& known, const JudgementFile& file) {
    std::vector<Mutation> wanted;
    const std::regex only(options.only.empty() ? ".*" : options.only);
    for (const auto& one : all) {
        const auto name = one.name();
        if (name != options.only && !std::regex_search(name, only)) continue;
        if (options.survivors && file.last(name) != Fate::survived) continue;
        // What nobody can notice says nothing in a sample.
        if (options.sample > 0 && known.reasons.contains(name)) continue;
        wanted.push_back(one);
    }
    if (options.sample == 0) return wanted;
    return sample(std::move(wanted), options.sample, options.seed);
}

using Judged = std::map<std::string, Judgement>;

void write_json(const fs::path& path, const Lab& lab, const std::vector<Mutation>& mutants,
                const Workshop& workshop, const Judged& judged, const Score& score) {
    json list = json::array();
    for (const auto& one : mutants) {
        const auto found = judged.find(one.name());
        if (found == judged.end()) continue;
        list.push_back({{"name", one.name()},
                        {"operator", one.op},
                        {"diff", small_diff(one, workshop.text_of(one))},
                        {"fate", to_string(found->second.fate)},
                        {"by", found->second.by}});
    }
    json counts = json::object();
    for (const auto& [fate, count] : score.counts) counts[to_string(fate)] = count;
    const json report{{"schema", "fwts-mutation/1"},
                      {"lab", lab.name},
                      {"score", score.percent()},
                      {"counts", counts},
                      {"mutants", list}};
    write_file(path, report.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

void print_survivors(const std::vector<Mutation>& mutants, const Workshop& workshop,
                     const Judged& judged, std::ostream& out) {
    for (const auto& one : mutants) {
        const auto found = judged.find(one.name());
        if (found == judged.end()) continue;
        if (found->second.fate == Fate::survived)
            out << fmt::format("\nsurvived: {}\n{}{}", one.name(),
                               small_diff(one, workshop.text_of(one)),
                               as_equivalent(one, workshop.files()));
        if (found->second.fate == Fate::grader_error)
            out << fmt::format("\ngrader error: {}\n{}{}\n", one.name(),
                               small_diff(one, workshop.text_of(one)), found->second.by);
    }
}

}  // namespace

const char* to_string(Fate fate) {
    switch (fate) {
        case Fate::killed:
            return "killed";
        case Fate::survived:
            return "survived";
        case Fate::equivalent:
            return "equivalent";
        case Fate::same_code:
            return "same-code";
        case Fate::does_not_compile:
            return "does-not-compile";
        case Fate::grader_error:
            break;
    }
    return "grader-error";
}

JudgementFile::JudgementFile(fs::path path) : path_(std::move(path)) {
    std::ifstream in(path_);
    for (std::string text; std::getline(in, text);) {
        // A line that was cut short is as good as none.
        const auto line = json::parse(text, nullptr, false);
        if (!line.is_object()) continue;
        const auto judgement = from_json(line);
        by_key_[line.value("key", "")] = judgement;
        by_name_[line.value("name", "")] = judgement.fate;
    }
}

std::optional<Judgement> JudgementFile::find(const std::string& key) const {
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return std::nullopt;
    return found->second;
}

std::optional<Fate> JudgementFile::last(const std::string& name) const {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return std::nullopt;
    return found->second;
}

void JudgementFile::add(const Suspect& suspect, const Judgement& judgement) {
    by_key_[suspect.key] = judgement;
    by_name_[suspect.name] = judgement.fate;
    json line = json::parse(as_line(judgement));
    line["key"] = suspect.key;
    line["name"] = suspect.name;
    std::error_code ignored;
    fs::create_directories(path_.parent_path(), ignored);
    std::ofstream out(path_, std::ios::app);
    // One write, so that lines of two programs do not mix.
    out << line.dump() + "\n" << std::flush;
    if (!out)
        throw std::runtime_error(
            fmt::format("{}: judgements cannot be kept: {}", path_.string(), std::strerror(errno)));
}

bool judge_all(const std::vector<Suspect>& suspects, int at_once, JudgementFile& file,
               const std::function<void(const Suspect&, const Judgement&)>& done) {
    const Handlers handlers;
    std::vector<const Suspect*> waiting;
    for (const auto& suspect : suspects)
        if (const auto known = file.find(suspect.key))
            done(suspect, *known);
        else
            waiting.push_back(&suspect);
    std::vector<std::unique_ptr<Child>> children;
    auto next = waiting.begin();
    while ((next != waiting.end() || !children.empty()) && asked_to_end == 0) {
        while (next != waiting.end() && children.size() < static_cast<std::size_t>(at_once))
            children.push_back(std::make_unique<Child>(**next++));
        std::vector<pollfd> pipes;
        pipes.reserve(children.size());
        for (const auto& child : children) pipes.push_back({child->pipe(), POLLIN, 0});
        if (poll(pipes.data(), pipes.size(), -1) < 0) continue;
        for (std::size_t i = pipes.size(); i-- > 0;) {
            if (pipes[i].revents == 0 || !children[i]->read_on()) continue;
            const auto judgement = children[i]->judgement();
            const auto& suspect = children[i]->suspect();
            if (judgement.fate != Fate::grader_error) file.add(suspect, judgement);
            done(suspect, judgement);
            children.erase(children.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    return asked_to_end == 0;
}

double Score::percent() const {
    const auto count = [&](Fate fate) {
        const auto found = counts.find(fate);
        return found == counts.end() ? 0.0 : static_cast<double>(found->second);
    };
    const auto all = count(Fate::killed) + count(Fate::survived);
    return all == 0 ? 100.0 : 100.0 * count(Fate::killed) / all;
}

bool mutate(const Lab& lab, const Scenario& scenario, const Places& places,
            const MutateOptions& options, std::ostream& out) {
    Workshop workshop(lab, scenario, places);
    JudgementFile file(options.file);
    const auto known = equivalents(lab, workshop.files(), workshop.all());
    for (const auto& mistake : known.mistakes) out << fmt::format("BAD  {}\n", mistake);
    const auto mutants = chosen(workshop.all(), options, known, file);
    if (options.list) {
        for (const auto& one : mutants)
            out << fmt::format("{}\n{}", one.name(), small_diff(one, workshop.text_of(one)));
        out << fmt::format("{} mutants\n", mutants.size());
        return known.mistakes.empty();
    }

    Judged judged;
    Score score;
    const auto note = [&](const std::string& name, const Judgement& judgement) {
        judged[name] = judgement;
        ++score.counts[judgement.fate];
        if (options.progress)
            options.progress(fmt::format("mutants: {} of {}, {} killed, {} survived, last {} {}",
                                         judged.size(), mutants.size(), score.counts[Fate::killed],
                                         score.counts[Fate::survived], name,
                                         to_string(judgement.fate)));
    };
    std::vector<Mutation> to_judge;
    for (const auto& one : mutants) {
        const auto reason = known.reasons.find(one.name());
        if (reason == known.reasons.end())
            to_judge.push_back(one);
        else
            note(one.name(), {Fate::equivalent, reason->second});
    }
    const auto suspects = workshop.suspects(to_judge, options.seed);
    const bool whole = judge_all(
        suspects, options.at_once, file,
        [&](const auto& suspect, const auto& judgement) { note(suspect.name, judgement); });
    if (options.progress) options.progress("");

    print_survivors(mutants, workshop, judged, out);
    out << fmt::format("\nlab {}: {} of {} mutants judged:", lab.name, judged.size(),
                       mutants.size());
    for (const auto& [fate, count] : score.counts)
        out << fmt::format(" {} {},", count, to_string(fate));
    out << fmt::format(" score {:.1f}\n", score.percent());
    if (!whole) out << "interrupted; the next run goes on from here\n";
    if (!options.json.empty()) write_json(options.json, lab, mutants, workshop, judged, score);
    return whole && known.mistakes.empty() && score.counts[Fate::survived] == 0 &&
           score.counts[Fate::grader_error] == 0;
}

}  // namespace fwts::grader
