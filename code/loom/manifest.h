// SPDX-License-Identifier: GPL-2.0
/// @file
/// stages.toml: the stages in their order, and the lifetime of every file of the driver.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"
#include "lifetime.h"

namespace fwts::loom {

/// One `[[stage]]`.
struct Stage {
    std::string number;   ///< "01"
    std::string name;     ///< "registration"
    std::string title;    ///< the chapter's title
    std::string chapter;  ///< the document in book/chapters/ that shows what this stage adds
    int line = 0;         ///< where stages.toml names it

    /// The directory it is cut to, "01-registration".
    std::string directory() const { return number + "-" + name; }
};

/// One line of `[files]`.
struct ManifestFile {
    std::string place;  ///< in the driver's directory, "superseded/igbook_notx.c"
    std::string name;   ///< in a stage, "igbook_notx.c"
    Lifetime life;
    int line = 0;
};

/// What stages.toml says.
struct Manifest {
    std::string path;
    std::vector<Stage> stages;
    std::vector<ManifestFile> files;  ///< in the order written

    int last_stage() const { return static_cast<int>(stages.size()) - 1; }
    /// The position of stage `number`, or nothing.
    std::optional<int> find(std::string_view number) const;
    /// "01, 02, 03", for messages.
    std::string numbers() const;
};

/// Reads the text of stages.toml.
/// @param text its contents
/// @param path how messages name it
/// @throw Failure with every complaint found
Manifest parse_manifest(std::string_view text, const std::string& path);

/// The lifetime between two stage numbers, as a mark or `[files]` names them.
/// @param from,until stage numbers; an absent one leaves that end of `outer` as it is
/// @param file,line where they stand
/// @param errors receives a complaint for a stage that is not listed and for an empty lifetime
Lifetime resolve_lifetime(const Manifest& manifest, const std::optional<std::string>& from,
                          const std::optional<std::string>& until, const Lifetime& outer,
                          const std::string& file, int line, Errors& errors);

}  // namespace fwts::loom
