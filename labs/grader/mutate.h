// SPDX-License-Identifier: GPL-2.0
// Mutation testing: which mutations of the reference do a lab's checks notice?
//
// Each is built, compared with the reference's code, and graded up to the first check that fails,
// in a process of its own. Results are remembered under all that they depend on, so an interrupted
// run goes on where it stopped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "grading.h"
#include "mutation.h"

namespace fwts::grader {

enum class Fate {
    killed,            ///< a check noticed
    survived,          ///< full marks
    equivalent,        ///< lab.toml says why nobody could notice
    same_code,         ///< the compiler made the same of it
    does_not_compile,  ///< nobody would hand it in
    grader_error       ///< our own fault
};

/// @return the fate's word in reports: "killed", "survived" …
const char* to_string(Fate fate);

struct Judgement {
    Fate fate = Fate::grader_error;
    std::string by;  ///< the check that noticed, the reason, or what went wrong
};

/// One mutation, and the key of all its judgement depends on.
struct Suspect {
    std::string name;
    std::string key;
    std::function<Judgement()> judge;  ///< called in a process of its own
};

/// Judgements on file, a line each. Several programs may add to one file at the same time.
class JudgementFile {
  public:
    explicit JudgementFile(std::filesystem::path path);
    std::optional<Judgement> find(const std::string& key) const;
    /// The last judgement of that name, whatever it depended on.
    std::optional<Fate> last(const std::string& name) const;
    void add(const Suspect& suspect, const Judgement& judgement);

  private:
    std::filesystem::path path_;
    std::map<std::string, Judgement> by_key_;
    std::map<std::string, Fate> by_name_;
};

/// Judges all that have no judgement on file, so many at a time. The grader's errors are not filed.
/// @param done  told of each judgement as it comes, those on file first.
/// @return false when SIGINT or SIGTERM came; what was judged until then is on file.
bool judge_all(const std::vector<Suspect>& suspects, int at_once, JudgementFile& file,
               const std::function<void(const Suspect&, const Judgement&)>& done);

struct MutateOptions {
    std::size_t sample = 0;  ///< so many of them only; 0: all
    std::string only;        ///< a name or a regular expression; empty: all
    bool list = false;       ///< name them and stop
    bool survivors = false;  ///< those only that survived last time
    int at_once = 1;
    std::uint64_t seed = 1;
    std::filesystem::path json;
    std::filesystem::path file;  ///< where judgements are kept
    std::function<void(const std::string&)> progress;
};

/// How many had which fate.
struct Score {
    std::map<Fate, std::size_t> counts;
    /// killed / (killed + survived) in per cent; 100 when there are none of either.
    double percent() const;
};

/// Judges a lab's mutations and prints what came of it, the survivors last.
/// @return whether every entry of lab.toml fits, none survived, and the grader made no error.
bool mutate(const Lab& lab, const Scenario& scenario, const Places& places,
            const MutateOptions& options, std::ostream& out);

}  // namespace fwts::grader
