// SPDX-License-Identifier: GPL-2.0
#include "patch.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace fwts::loom {

namespace {

constexpr int kContext = 3;

/// One line of an edit script: ' ' kept, '-' removed, '+' added.
struct Edit {
    char kind = ' ';
    const std::string* text = nullptr;
};

/// Myers' greedy algorithm: the shortest script, found by the furthest reach on every diagonal.
class Myers {
  public:
    Myers(const Lines& before, const Lines& after)
        : a_(before), b_(after), n_(static_cast<int>(a_.size())), m_(static_cast<int>(b_.size())) {}

    std::vector<Edit> script() {
        std::vector<int> reach(2 * (n_ + m_) + 3, 0);
        const int zero = n_ + m_ + 1;
        for (int d = 0; d <= n_ + m_; ++d) {
            trace_.emplace_back(reach.begin() + zero - d - 1, reach.begin() + zero + d + 2);
            for (int k = -d; k <= d; k += 2) {
                int x =
                    step_down(&reach[zero], k, d) ? reach[zero + k + 1] : reach[zero + k - 1] + 1;
                while (x < n_ && x - k < m_ && a_[x] == b_[x - k]) ++x;
                reach[zero + k] = x;
                if (x >= n_ && x - k >= m_) return walk_back(d);
            }
        }
        return {};
    }

  private:
    /// Whether diagonal `k` is best reached by adding a line rather than removing one.
    static bool step_down(const int* reach, int k, int d) {
        return k == -d || (k != d && reach[k - 1] < reach[k + 1]);
    }

    std::vector<Edit> walk_back(int d) const {
        std::vector<Edit> edits;
        int x = n_;
        int y = m_;
        for (; d >= 0; --d) {
            const int* reach = trace_[d].data() + d + 1;
            const int k = x - y;
            const bool down = step_down(reach, k, d);
            const int from_x = d == 0 ? 0 : reach[down ? k + 1 : k - 1];
            const int from_y = d == 0 ? 0 : from_x - (down ? k + 1 : k - 1);
            while (x > from_x && y > from_y) {
                edits.push_back({' ', &a_[--x]});
                --y;
            }
            if (d > 0) edits.push_back(down ? Edit{'+', &b_[--y]} : Edit{'-', &a_[--x]});
        }
        std::reverse(edits.begin(), edits.end());
        return edits;
    }

    const Lines& a_;
    const Lines& b_;
    int n_;
    int m_;
    std::vector<std::vector<int>> trace_;
};

/// "12,3", or "0,0" for nothing, as the header of a hunk counts.
std::string range(int first, int count) {
    if (count == 1) return std::to_string(first + 1);
    return fmt::format("{},{}", count == 0 ? first : first + 1, count);
}

std::string hunks(const std::vector<Edit>& edits) {
    std::string out;
    const int size = static_cast<int>(edits.size());
    int a = 0;
    int b = 0;
    int done = 0;
    for (int at = 0; at < size;) {
        if (edits[at].kind == ' ') {
            ++at;
            continue;
        }
        const int begin = std::max(done, at - kContext);
        int last = at;
        for (int i = at; i < size && i <= last + 2 * kContext + 1; ++i)
            if (edits[i].kind != ' ') last = i;
        const int end = std::min(size, last + kContext + 1);
        for (; done < begin; ++done) {
            ++a;
            ++b;
        }
        std::string body;
        int removed = 0;
        int added = 0;
        for (; done < end; ++done) {
            removed += edits[done].kind != '+' ? 1 : 0;
            added += edits[done].kind != '-' ? 1 : 0;
            body += edits[done].kind + *edits[done].text + "\n";
        }
        out += fmt::format("@@ -{} +{} @@\n{}", range(a, removed), range(b, added), body);
        a += removed;
        b += added;
        at = end;
    }
    return out;
}

void diff_file(const std::string& name, const StageFile* before, const StageFile* after,
               std::string& out) {
    const Lines none;
    const std::string body = diff_lines(before != nullptr ? before->texts() : none,
                                        after != nullptr ? after->texts() : none);
    if (body.empty()) return;
    out += fmt::format("--- {}\n+++ {}\n{}", before != nullptr ? "a/" + name : "/dev/null",
                       after != nullptr ? "b/" + name : "/dev/null", body);
}

}  // namespace

std::string diff_lines(const Lines& before, const Lines& after) {
    if (before == after) return {};
    return hunks(Myers(before, after).script());
}

std::string diff_trees(const StageTree& before, const StageTree& after) {
    std::string out;
    for (const StageFile& file : before.files)
        diff_file(file.name, &file, after.find(file.name), out);
    for (const StageFile& file : after.files)
        if (before.find(file.name) == nullptr) diff_file(file.name, nullptr, &file, out);
    return out;
}

std::string coloured(const std::string& diff) {
    std::string out;
    for (const std::string& line : split_lines(diff)) {
        const char* colour = "";
        if (line.starts_with("---") || line.starts_with("+++"))
            colour = "\033[1m";
        else if (line.starts_with("@@"))
            colour = "\033[36m";
        else if (line.starts_with('-'))
            colour = "\033[31m";
        else if (line.starts_with('+'))
            colour = "\033[32m";
        out += *colour == '\0' ? line + "\n" : colour + line + "\033[m\n";
    }
    return out;
}

}  // namespace fwts::loom
