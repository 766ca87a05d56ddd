// SPDX-License-Identifier: GPL-2.0
// mii INTERFACE REGISTER: asks for the PHY's address and one of its registers by ioctl, as mii-tool
// does. Prints "ADDRESS VALUE" in hexadecimal.
// mii INTERFACE stamp: sets and gets hardware time stamping, which come by the same door. Prints
// what the kernel says to each.
// Runs in the guest.
#include <linux/mii.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace {

int try_stamping(int socket, ifreq request) {
    hwtstamp_config config{};
    request.ifr_data = reinterpret_cast<char*>(&config);
    for (const unsigned long number : {SIOCSHWTSTAMP, SIOCGHWTSTAMP})
        std::puts(ioctl(socket, number, &request) == 0 ? "ok" : std::strerror(errno));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: mii INTERFACE REGISTER|stamp\n");
        return 2;
    }
    ifreq request{};
    std::strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
    mii_ioctl_data mii{};
    int socket = ::socket(AF_INET, SOCK_DGRAM, 0);
    if (socket >= 0 && std::strcmp(argv[2], "stamp") == 0) return try_stamping(socket, request);
    if (socket < 0 || ioctl(socket, SIOCGMIIPHY, &request) != 0) {
        std::perror("SIOCGMIIPHY");
        return 1;
    }
    // The kernel keeps the MII data where the address of other ioctls stands.
    auto* const data = reinterpret_cast<char*>(&request.ifr_data);
    std::memcpy(&mii, data, sizeof(mii));
    mii.reg_num = static_cast<__u16>(std::strtoul(argv[2], nullptr, 0));
    std::memcpy(data, &mii, sizeof(mii));
    if (ioctl(socket, SIOCGMIIREG, &request) != 0) {
        std::perror("SIOCGMIIREG");
        return 1;
    }
    std::memcpy(&mii, data, sizeof(mii));
    std::printf("%x %04x\n", mii.phy_id, mii.val_out);
    close(socket);
    return 0;
}
