// SPDX-License-Identifier: GPL-2.0
#include "rings.h"

#include <gmock/gmock.h>

#include "expect.h"

namespace fwts::grader {
namespace {

/// Four descriptors, three with a buffer each; the ring begins again between head and tail.
Ring full_ring() {
    Ring ring;
    ring.head = 3;
    ring.tail = 2;
    ring.slots = {{0x3000, 0}, {0x1000, 0}, {0, 0}, {0x2000, 0}};
    return ring;
}

TEST(Rings, StepsGoAroundTheEnd) {
    EXPECT_EQ(steps(full_ring(), 3, 2), 3U);
    EXPECT_EQ(steps(full_ring(), 1, 1), 0U);
}

TEST(Rings, FullOfBuffersIsOneEachAndOneDescriptorFree) {
    EXPECT_THAT(expect_full_of_buffers(full_ring()), testing::ElementsAre(0x1000, 0x2000, 0x3000));

    auto twice = full_ring();
    twice.slots[0].low = 0x1000;
    EXPECT_THROW(expect_full_of_buffers(twice), Failure);

    auto done = full_ring();
    done.slots[3].high = 1;
    EXPECT_THROW(expect_full_of_buffers(done), Failure);

    auto fewer = full_ring();
    fewer.tail = 1;
    EXPECT_THROW(expect_full_of_buffers(fewer), Failure);
}

TEST(Rings, EachCallHasALimitOfItsOwn) {
    const Deed call{"igbook_tx_clean", 2, {}};
    const Deed frame{"dma_unmap_page_attrs", 0, {}};
    EXPECT_NO_THROW(expect_limit_kept({call, frame, frame, call, frame, frame}));
    EXPECT_THROW(expect_limit_kept({call, frame, frame, frame}), Failure);
}

}  // namespace
}  // namespace fwts::grader
