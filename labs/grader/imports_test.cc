// SPDX-License-Identifier: GPL-2.0
#include "imports.h"

#include <gmock/gmock.h>

namespace fwts::grader {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

AllowedImports list() {
    return AllowedImports(FWTS_SOURCE_DIR "/labs/grader/imports.txt");
}

TEST(Imports, OfNmEachLineIsOne) {
    EXPECT_THAT(imports_in("                 U _printk\n"
                           "                 w register_kprobe\n"
                           "                 v x\n"
                           "printk\n"
                           "U printk U kfree\n"),
                ElementsAre("_printk", "register_kprobe", "x", "printk", "printk U kfree"));
}

TEST(Imports, ALineThatHidesASymbolIsRefused) {
    EXPECT_THAT(list().refused(imports_in("                 w kfree U\n"
                                          "                 U call_usermodehelper\n"
                                          "                 U kfree\n")),
                ElementsAre("kfree U", "call_usermodehelper"));
}

TEST(Imports, WhatReachesBeyondTheCardIsRefused) {
    for (const char* symbol : {"__symbol_get",
                               "symbol_put_addr",
                               "add_taint",
                               "register_kprobe",
                               "unregister_kprobe",
                               "register_kretprobes",
                               "disable_kprobe",
                               "kallsyms_lookup_name",
                               "sprint_symbol",
                               "call_usermodehelper",
                               "call_usermodehelper_exec",
                               "lockdep_off",
                               "debug_locks",
                               "debug_locks_off",
                               "debug_locks_silent",
                               "lockdep_recursion",
                               "__lockdep_no_validate__",
                               "__lockdep_no_track__",
                               "kasan_disable_current",
                               "kasan_poison",
                               "__memcpy",
                               "__memset",
                               "kmemleak_ignore",
                               "kmemleak_not_leak",
                               "kmemleak_no_scan",
                               "debug_object_free",
                               "tracing_off",
                               "ftrace_dump",
                               "trace_array_printk",
                               "for_each_kernel_tracepoint",
                               "tracepoint_probe_register",
                               "text_poke",
                               "stop_machine",
                               "set_memory_x",
                               "arch_static_call_transform",
                               "__static_call_update",
                               "filp_open",
                               "kernel_read",
                               "kernel_write",
                               "vfs_iter_write",
                               "access_process_vm",
                               "init_task",
                               "find_vpid",
                               "pid_task",
                               "kill_pid",
                               "commit_creds",
                               "console_lock",
                               "register_console",
                               "console_list",
                               "console_verbose",
                               "emergency_restart",
                               "kernel_restart",
                               "panic",
                               "panic_notifier_list",
                               "panic_timeout",
                               "nmi_panic",
                               "oops_in_progress",
                               "system_state",
                               "rcu_cpu_stall_suppress",
                               "touch_softlockup_watchdog",
                               "reset_hung_task_detector",
                               "register_module_notifier",
                               "register_die_notifier",
                               "register_nmi_handler",
                               "__request_module",
                               "debugfs_lookup",
                               "virtqueue_add_outbuf",
                               "sock_create_kern",
                               "driver_find",
                               "bus_find_device",
                               "wrmsr_safe_regs",
                               "smpboot_register_percpu_thread"})
        EXPECT_FALSE(list().allows(symbol)) << symbol;
}

TEST(Imports, WhoAnswersForTheKernelIsRefused) {
    const std::string symvers =
        "0x1\t__asan_report_load8_noabort\tvmlinux\tEXPORT_SYMBOL\t\n"
        "0x2\tlock_acquire\tvmlinux\tEXPORT_SYMBOL_GPL\t\n"
        "0x3\trefcount_warn_saturate\tvmlinux\tEXPORT_SYMBOL\t\n"
        "0x4\tkfree\tvmlinux\tEXPORT_SYMBOL\t\n"
        "0x5\tcrc8\tlib/crc8\tEXPORT_SYMBOL\t\n";
    EXPECT_THAT(usurped("0000000000000010 T kfree\n"
                        "0000000000000020 t __asan_report_load8_noabort\n"
                        "0000000000000030 t lock_acquire\n"
                        "0000000000000040 W refcount_warn_saturate\n",
                        symvers),
                ElementsAre("kfree", "__asan_report_load8_noabort", "lock_acquire",
                            "refcount_warn_saturate"));
    EXPECT_THAT(usurped("0000000000000010 t crc8\n"  // a static function of one's own
                        "0000000000000020 T init_module\n"
                        "0000000000000030 t __igbook_poll\n"
                        "0000000000000000 D __this_module\n",
                        symvers),
                IsEmpty());
}

TEST(Imports, OtherStylesOfADriverAreFree) {
    const std::vector<std::string> wanted{"_printk",
                                          "register_netdev",
                                          "pci_enable_device",
                                          "pcim_enable_device",
                                          "pcim_iomap_table",
                                          "devm_kmalloc",
                                          "devm_ioremap",
                                          "devm_request_threaded_irq",
                                          "dma_map_page_attrs",
                                          "dma_map_sg_attrs",
                                          "dma_unmap_sg_attrs",
                                          "dma_alloc_attrs",
                                          "dma_pool_alloc",
                                          "alloc_pages_noprof",
                                          "__free_pages",
                                          "page_frag_free",
                                          "__page_frag_alloc_align",
                                          "page_pool_create",
                                          "page_pool_alloc_pages",
                                          "napi_gro_receive",
                                          "napi_alloc_skb",
                                          "build_skb",
                                          "ethtool_op_get_link",
                                          "ethtool_op_get_ts_info",
                                          "bitmap_zalloc",
                                          "__bitmap_set",
                                          "_find_next_bit",
                                          "sort",
                                          "bsearch",
                                          "hrtimer_start_range_ns",
                                          "timer_delete_sync",
                                          "mod_timer",
                                          "queue_delayed_work_on",
                                          "cancel_delayed_work_sync",
                                          "__mutex_init",
                                          "mutex_lock_nested",
                                          "_raw_spin_lock_irqsave",
                                          "wait_for_completion_timeout",
                                          "complete",
                                          "kthread_create_on_node",
                                          "kthread_stop",
                                          "wake_up_process",
                                          "idr_alloc",
                                          "xa_load",
                                          "usleep_range_state",
                                          "__const_udelay",
                                          "memcpy_fromio",
                                          "sysfs_emit",
                                          "debugfs_create_file",
                                          "call_rcu",
                                          "synchronize_rcu",
                                          "dev_err_probe",
                                          "_dev_err",
                                          "pci_set_power_state",
                                          "pci_save_state",
                                          "pm_runtime_get_if_active",
                                          "dca_add_requester",
                                          "kmem_cache_free",
                                          "strscpy",
                                          "sized_strscpy",
                                          "get_random_bytes",
                                          "net_dim",
                                          "memory_read_from_buffer",
                                          "__SCT__might_resched",
                                          "delayed_work_timer_fn",
                                          "lockdep_rtnl_is_held",
                                          "hardirqs_enabled",
                                          "__asan_load4_noabort"};
    EXPECT_THAT(list().refused(wanted), IsEmpty());
}

}  // namespace
}  // namespace fwts::grader
