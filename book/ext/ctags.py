# SPDX-License-Identifier: GPL-2.0
"""How universal-ctags is asked to read the kernel's source."""

from __future__ import annotations

# Macros ctags must see through, and names that only macros define.
CTAGS_OPTIONS = [
    "--languages=C", "--langmap=C:.c.h", "--kinds-C=defgstuvm", "--extras=-{anonymous}",
    "-I", "__init,__exit,__initdata,__read_mostly,__latent_entropy,__must_check,__net_init,"
          "__net_exit,__sched,__ro_after_init,__cacheline_aligned_in_smp,__visible,"
          "__always_inline,noinline,asmlinkage,__user,__rcu,__percpu,__iomem,"
          "noinline_for_stack,INDIRECT_CALLABLE_SCOPE,__maybe_unused,__always_unused",
    r"--regex-C=/^SYSCALL_DEFINE[0-9]\(([a-z0-9_]+)/sys_\1/f,function/",
    r"--regex-C=/^DEFINE_PER_CPU[A-Z_]*\([^,]+,\s*([a-z0-9_]+)\)/\1/v,variable/",
    r"--regex-C=/^(static )?DEFINE_(MUTEX|SPINLOCK|RWLOCK|IDR|XARRAY|STATIC_KEY_FALSE)"
    r"\(([a-z0-9_]+)\)/\3/v,variable/",
    r"--regex-C=/^(TRACE_EVENT|DECLARE_EVENT_CLASS)\(([a-z0-9_]+)/trace_\2/f,function/",
]
