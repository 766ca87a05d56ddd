#include <cstdio>
#include <iostream>
#include "guest.h"
using namespace fwts::sandbox;
int main(int argc, char** argv) {
    try {
        auto guest = Guest::boot({.peer = true, .record_registers = true});
        std::cerr << guest.boot_time()->count() << " ms\n";
        for (int i = 1; i < argc; ++i) {
            auto r = guest.run(argv[i]);
            std::cout << r.out << r.err << "status " << r.status << std::endl;
        }
        std::cout << guest.registers().all().size() << " writes\n";
        guest.power_off();
    } catch (const std::exception& e) { std::cerr << e.what() << "\n"; return 70; }
}
