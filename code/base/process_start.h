// SPDX-License-Identifier: GPL-2.0
// What a program inherits from its caller and must not depend on.
#pragma once

namespace fwts {

/// First thing in main(), before there are threads or files. Descriptors 0 to 2 that the caller
/// closed become /dev/null, or the next file opened would be taken for standard output. SIGCHLD
/// gets its usual meaning and is not held back: a parent that ignored it passes that on, and then
/// nobody can wait for a child.
void settle_inherited();

}  // namespace fwts
