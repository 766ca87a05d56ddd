// SPDX-License-Identifier: GPL-2.0
#include "capture_file.h"

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <array>
#include <memory>

#include "failure.h"

namespace fwts::sandbox {

std::vector<Frame> read_capture(const std::filesystem::path& path) {
    std::array<char, PCAP_ERRBUF_SIZE> reason{};
    const std::unique_ptr<pcap_t, void (*)(pcap_t*)> capture(
        pcap_open_offline(path.c_str(), reason.data()), pcap_close);
    if (!capture) throw SetupError(fmt::format("capture {}: {}", path.string(), reason.data()));
    if (pcap_datalink(capture.get()) != DLT_EN10MB) {
        throw SetupError(
            fmt::format("capture {}: its frames are no Ethernet frames", path.string()));
    }
    std::vector<Frame> frames;
    pcap_pkthdr* header = nullptr;
    const u_char* bytes = nullptr;
    int result = 0;
    while ((result = pcap_next_ex(capture.get(), &header, &bytes)) == 1)
        frames.emplace_back(bytes, bytes + header->caplen);
    if (result == PCAP_ERROR)
        throw SetupError(fmt::format("capture {}: {}", path.string(), pcap_geterr(capture.get())));
    return frames;
}

}  // namespace fwts::sandbox
