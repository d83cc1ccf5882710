// The simulated disk is as nasty as POSIX allows: whoever forgets a sync loses data for some seed,
// and whoever forgets none never does.
#include "test/sim/disk.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

namespace leat::sim {
namespace {

constexpr uint64_t kDiskSeeds = 300;

void Must(const Status& status) { ASSERT_TRUE(status.ok()) << status.ToString(); }

// What may be found at `path` after a crash that follows `work`, over many seeds; "-" nothing.
std::set<std::string> Outcomes(const std::string& path, const std::function<Status(Disk*)>& work) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < kDiskSeeds; ++seed) {
    World world(seed);
    Disk disk(&world);
    Must(work(&disk));
    disk.Crash();
    if (!disk.Exists(path)) {
      outcomes.insert("-");
      continue;
    }
    outcomes.insert(std::string((*disk.Read(path))->bytes()));
  }
  return outcomes;
}

Status Write(Disk* disk, const std::string& path, std::string_view bytes, bool sync) {
  LEAT_ASSIGN(auto file, disk->OpenAppend(path));
  LEAT_RETURN(file->Append(bytes));
  return sync ? file->Sync() : Status::OK();
}

TEST(SimDisk, WhatIsSyncedStays) {
  EXPECT_EQ(Outcomes("/d/f",
                     [](Disk* disk) {
                       LEAT_RETURN(disk->CreateDirectories("/d"));
                       LEAT_RETURN(Write(disk, "/d/f", "one", true));
                       LEAT_RETURN(disk->SyncDirectory("/d"));
                       LEAT_ASSIGN(auto file, disk->OpenAppend("/d/f"));
                       LEAT_RETURN(file->Append("two"));
                       return file->Sync();
                     }),
            std::set<std::string>{"onetwo"});
}

TEST(SimDisk, WhatIsNotSyncedIsThereOrNotOrTorn) {
  const auto outcomes = Outcomes("/f", [](Disk* disk) {
    LEAT_RETURN(Write(disk, "/f", "one", true));
    LEAT_RETURN(disk->SyncDirectory("/"));
    return Write(disk, "/f", "two", false);
  });
  EXPECT_TRUE(outcomes.contains("one"));                        // lost
  EXPECT_TRUE(outcomes.contains("onetwo"));                     // kept
  EXPECT_TRUE(outcomes.contains("onet"));                       // torn
  EXPECT_TRUE(outcomes.contains(std::string("one\0\0\0", 6)));  // grown, and not written
  for (const std::string& bytes : outcomes) EXPECT_TRUE(bytes.starts_with("one"));
}

TEST(SimDisk, UnsyncedWritesArriveInAnyOrder) {
  const std::string first(512, 'a'), second(512, 'b');
  const auto outcomes = Outcomes("/f", [&](Disk* disk) {
    LEAT_RETURN(Write(disk, "/f", "", true));
    LEAT_RETURN(disk->SyncDirectory("/"));
    LEAT_RETURN(Write(disk, "/f", first, false));
    return Write(disk, "/f", second, false);
  });
  EXPECT_TRUE(outcomes.contains(std::string(512, '\0') + second));
  EXPECT_TRUE(outcomes.contains(first));
}

TEST(SimDisk, AFileWhoseNameIsNotSyncedMayBeGone) {
  EXPECT_EQ(Outcomes("/f", [](Disk* disk) { return Write(disk, "/f", "one", true); }),
            (std::set<std::string>{"-", "one"}));
}

TEST(SimDisk, ADirectoryIsThereOnceItIsMade) {
  EXPECT_EQ(Outcomes("/d/e/f",
                     [](Disk* disk) {
                       LEAT_RETURN(disk->CreateDirectories("/d/e"));
                       LEAT_RETURN(Write(disk, "/d/e/f", "one", true));
                       return disk->SyncDirectory("/d/e");
                     }),
            std::set<std::string>{"one"});
}

TEST(SimDisk, ARenameHappensOnceTheDirectoryIsSynced) {
  const auto rename = [](bool sync) {
    return [sync](Disk* disk) {
      LEAT_RETURN(Write(disk, "/f", "old", true));
      LEAT_RETURN(disk->SyncDirectory("/"));
      LEAT_RETURN(Write(disk, "/g", "new", true));
      LEAT_RETURN(disk->Rename("/g", "/f"));
      return sync ? disk->SyncDirectory("/") : Status::OK();
    };
  };
  EXPECT_EQ(Outcomes("/f", rename(false)), (std::set<std::string>{"old", "new"}));
  EXPECT_EQ(Outcomes("/f", rename(true)), std::set<std::string>{"new"});
}

// The textbook's mistake: the new name is there, its bytes are not.
TEST(SimDisk, ARenameDoesNotWriteTheBytes) {
  const auto outcomes = Outcomes("/f", [](Disk* disk) {
    LEAT_RETURN(Write(disk, "/f", "old", true));
    LEAT_RETURN(disk->SyncDirectory("/"));
    LEAT_RETURN(Write(disk, "/g", "new", false));
    LEAT_RETURN(disk->Rename("/g", "/f"));
    return disk->SyncDirectory("/");
  });
  EXPECT_TRUE(outcomes.contains("") && outcomes.contains("new"));
  EXPECT_FALSE(outcomes.contains("old"));
}

TEST(SimDisk, ARemovedNameMayComeBack) {
  EXPECT_EQ(Outcomes("/f",
                     [](Disk* disk) {
                       LEAT_RETURN(Write(disk, "/f", "one", true));
                       LEAT_RETURN(disk->SyncDirectory("/"));
                       return disk->Remove("/f");
                     }),
            (std::set<std::string>{"-", "one"}));
}

TEST(SimDisk, ATruncatedFileMayBeWholeAgainAndNewBytesMayLieOverOldOnes) {
  const auto outcomes = Outcomes("/f", [](Disk* disk) {
    LEAT_RETURN(Write(disk, "/f", "oldold", true));
    LEAT_RETURN(disk->SyncDirectory("/"));
    LEAT_RETURN(disk->Truncate("/f", 0));
    return Write(disk, "/f", "new", false);
  });
  EXPECT_TRUE(outcomes.contains("oldold") && outcomes.contains("newold") &&
              outcomes.contains("new") && outcomes.contains(""));
}

TEST(SimDisk, AtomicWritesAreAtomic) {
  EXPECT_EQ(Outcomes("/f",
                     [](Disk* disk) {
                       LEAT_RETURN(WriteFileAtomically(disk, "/f", "old"));
                       return WriteFileAtomically(disk, "/f", "new");
                     }),
            std::set<std::string>{"new"});
}

TEST(SimDisk, AFailedSyncHasLostTheBytesThoughTheNextSyncSucceeds) {
  std::set<std::string> outcomes;
  for (uint64_t seed = 0; seed < kDiskSeeds; ++seed) {
    World world(seed);
    Disk disk(&world);
    Must(disk.SyncDirectory("/"));
    auto file = *disk.OpenAppend("/f");
    Must(disk.SyncDirectory("/"));
    Must(file->Append("one"));
    Luck bad;
    bad.fails[static_cast<size_t>(Deed::kDiskSync)] = 1;
    world.Begin(bad);
    EXPECT_FALSE(file->Sync().ok());
    world.Begin({});
    EXPECT_EQ((*disk.Read("/f"))->bytes(), "one");  // the cache has it still
    Must(file->Append("two"));
    Must(file->Sync());
    disk.Crash();
    outcomes.insert(std::string((*disk.Read("/f"))->bytes()));
  }
  EXPECT_TRUE(outcomes.contains(std::string("\0\0\0two", 6)));
}

TEST(SimDisk, AFullDiskTakesAPart) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < kDiskSeeds; ++seed) {
    World world(seed);
    Disk disk(&world);
    auto file = *disk.OpenAppend("/f");
    Luck bad;
    bad.fails[static_cast<size_t>(Deed::kDiskWrite)] = 1;
    world.Begin(bad);
    EXPECT_FALSE(file->Append("one").ok());
    world.Begin({});
    seen.insert(std::string((*disk.Read("/f"))->bytes()));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"", "o", "on", "one"}));
}

TEST(SimDisk, AfterThePowerCutNothingIsDone) {
  World world(1);
  Disk disk(&world);
  Must(Write(&disk, "/f", "one", true));
  Must(disk.SyncDirectory("/"));
  world.Begin({.crash_after = 0});
  EXPECT_FALSE(Write(&disk, "/f", "two", true).ok());
  EXPECT_FALSE(disk.Remove("/f").ok());
  EXPECT_TRUE(world.dead());
  world.Begin({});
  disk.Crash();
  EXPECT_EQ((*disk.Read("/f"))->bytes(), "one");
}

TEST(SimDisk, ALockIsHeldOnce) {
  World world(1);
  Disk disk(&world);
  auto lock = *disk.TryLock("/lock");
  ASSERT_TRUE(lock);
  EXPECT_FALSE(*disk.TryLock("/lock"));
  lock.reset();
  EXPECT_TRUE(*disk.TryLock("/lock"));
}

TEST(SimDisk, TheCertainViewShowsWhatNoCrashTakes) {
  World world(1);
  Disk disk(&world);
  Must(Write(&disk, "/f", "one", true));
  const auto certain = CertainView(&disk);
  EXPECT_FALSE(certain->Exists("/f"));
  Must(disk.SyncDirectory("/"));
  Must(Write(&disk, "/f", "two", false));
  EXPECT_EQ((*certain->Read("/f"))->bytes(), "one");
}

}  // namespace
}  // namespace leat::sim
