// Where a Store may stand: network and read-only file systems, full disks, files that others could change.
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "cache/ownership.h"
#include "cache/pack.h"
#include "cache/store_impl.h"
#include "tests/cache/helpers.h"

namespace attentune::test {

namespace {

StoreOptions on(FilesystemKind kind, const std::string& path, StoreMode mode,
                std::vector<std::string>* messages = nullptr) {
  StoreOptions result = options(path, mode, messages);
  result.filesystem = [kind](const std::string&) { return kind; };
  return result;
}

// A small file system of its own; needs root, and a container that allows mounts.
class Mount {
 public:
  explicit Mount(const std::string& path) : path_(path) {
    fs::create_directory(path_);
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, "size=2m,mode=0700") == 0;
  }
  ~Mount() {
    if (mounted_)
      ::umount2(path_.c_str(), MNT_DETACH);
  }
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] bool make_read_only() const {
    return ::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=2m") == 0;
  }

 private:
  std::string path_;
  bool mounted_ = false;
};

}  // namespace

TEST_CASE("tune and import refuse network and read-only places before work starts") {
  const Directory directory;
  for (const FilesystemKind kind : {FilesystemKind::network, FilesystemKind::read_only}) {
    const std::string sentence = open_error(on(kind, directory / "new/store.db", StoreMode::read_write));
    CHECK(contains(sentence, "--store LOCALPATH"));
    CHECK(contains(sentence, "copy that file here"));
    CHECK_FALSE(fs::exists(directory / "new"));
  }
}

TEST_CASE("the library reads a snapshot there and keeps new rows in memory, with one message") {
  const Directory directory;
  const std::string path = directory / "store.db";
  const Record old = sample_record(1, 64);
  const Record fresh = sample_record(2, 128);
  Store::open(options(path))->publish_winner(old, 0);
  const std::string before = read_bytes(path);
  const auto files = std::distance(fs::directory_iterator(directory.path()), {});
  for (const FilesystemKind kind : {FilesystemKind::network, FilesystemKind::read_only}) {
    std::vector<std::string> messages;
    const auto store = Store::open(on(kind, path, StoreMode::library, &messages));
    CHECK(messages.size() == 1);
    CHECK_FALSE(store->persistent());
    CHECK(store->find_winner(key_of(old)));
    CHECK(store->load_binary(old.binary->key));
    store->publish_winner(fresh, 0);
    CHECK(store->find_winner(key_of(fresh)));
    CHECK(store->verify(true).sound());
    CHECK(messages.size() == 1);

    const auto reader = Store::open(on(kind, path, StoreMode::read_only));
    CHECK(reader->find_winner(key_of(old)));
    CHECK_FALSE(reader->find_winner(key_of(fresh)));
  }
  CHECK(read_bytes(path) == before);
  CHECK(std::distance(fs::directory_iterator(directory.path()), {}) == files);

  std::vector<std::string> messages;
  const auto nothing =
      Store::open(on(FilesystemKind::network, directory / "none/store.db", StoreMode::library, &messages));
  CHECK(messages.size() == 1);
  CHECK(nothing->winners().empty());
  CHECK_FALSE(fs::exists(directory / "none"));
}

TEST_CASE("a snapshot holds what is still in the write-ahead log") {
  const Directory directory;
  const std::string path = directory / "store.db";
  const auto writer = Store::open(options(path));
  writer->publish_winner(sample_record(1), 0);
  REQUIRE(fs::file_size(path + "-wal") > 0);
  fs::create_directory(directory / "copy");
  fs::copy_file(path, directory / "copy/store.db");
  fs::copy_file(path + "-wal", directory / "copy/store.db-wal");
  const auto store = Store::open(on(FilesystemKind::read_only, directory / "copy/store.db", StoreMode::read_only));
  CHECK(store->find_winner(key_of(sample_record(1))));
}

TEST_CASE("a damaged Store on a network place is a message in the library and an Error else") {
  const Directory directory;
  const std::string path = directory / "store.db";
  {
    const auto store = Store::open(options(path));
    for (int n = 0; n < 5; ++n)
      store->publish(sample_record(n, 64, 20'000));
  }
  fs::resize_file(path, fs::file_size(path) / 2);
  CHECK(contains(open_error(on(FilesystemKind::network, path, StoreMode::read_only)), "is damaged"));
  std::vector<std::string> messages;
  const auto store = Store::open(on(FilesystemKind::network, path, StoreMode::library, &messages));
  CHECK(messages.size() == 1);
  store->publish(sample_record(1));
}

TEST_CASE("a real read-only file system is noticed") {
  const Directory directory;
  const Mount mount(directory / "mounted");
  if (!mount.mounted()) {
    MESSAGE("skipped: this user may not mount a tmpfs");
    return;
  }
  const std::string path = directory / "mounted/store.db";
  CHECK(filesystem_kind(path) == FilesystemKind::local);
  Store::open(options(path))->publish_winner(sample_record(1), 0);
  REQUIRE(mount.make_read_only());
  CHECK(filesystem_kind(path) == FilesystemKind::read_only);
  CHECK(filesystem_kind(directory / "mounted/not/there") == FilesystemKind::read_only);
  CHECK(contains(open_error(options(path)), "--store LOCALPATH"));
  CHECK(Store::open(options(path, StoreMode::read_only))->find_winner(key_of(sample_record(1))));
  std::vector<std::string> messages;
  const auto store = Store::open(options(path, StoreMode::library, &messages));
  CHECK(messages.size() == 1);
  CHECK(store->find_winner(key_of(sample_record(1))));
}

TEST_CASE("a full disk: one sentence, nothing stored lost, usable after") {
  const Directory directory;
  const Mount mount(directory / "mounted");
  if (!mount.mounted()) {
    MESSAGE("skipped: this user may not mount a tmpfs");
    return;
  }
  const std::string path = directory / "mounted/store.db";
  const std::string other = directory / "mounted/something_else";
  write_bytes(other, std::string(700'000, 'x'));
  int stored = 0;
  {
    const auto store = Store::open(options(path));
    std::string sentence;
    while (sentence.empty() && stored < 1000) {
      sentence = error_of([&] { store->publish_winner(sample_record(stored, stored, 50'000), 0); });
      if (sentence.empty())
        ++stored;
    }
    CHECK(contains(sentence, "no space is left"));
    CHECK(stored > 3);
    CHECK(store->winners().size() == static_cast<std::size_t>(stored));
  }
  {
    // Opened anew while the disk is full to the last byte: tuning says why, reading goes on.
    write_bytes(other + "2", std::string(2'000'000, 'x'));
    const std::string sentence = open_error(options(path));
    CHECK((sentence.empty() || contains(sentence, "no space is left")));
    CHECK(Store::open(options(path, StoreMode::read_only))->winners().size() == static_cast<std::size_t>(stored));
    const auto library = Store::open(options(path, StoreMode::library));
    CHECK(library->winners().size() == static_cast<std::size_t>(stored));
    CHECK(Store::open(options(directory / "mounted/new.db", StoreMode::library))->winners().empty());
  }
  fs::remove(other);
  fs::remove(other + "2");
  const auto store = Store::open(options(path));
  CHECK(store->verify(false).sound());
  CHECK(store->winners().size() == static_cast<std::size_t>(stored));
  store->publish_winner(sample_record(5000, 5000, 50'000), 0);
  CHECK(store->find_winner(key_of(sample_record(5000, 5000))));
}

TEST_CASE("SQLite's own limit on pages reads as a full disk") {
  const Connection memory = Connection::memory();
  memory.execute("CREATE TABLE t(x); PRAGMA max_page_count = 3");
  try {
    memory.execute("INSERT INTO t VALUES(zeroblob(100000))");
    FAIL("it fit");
  } catch (const SqliteError& error) {
    CHECK(error.disk_full());
    CHECK(contains(store_error(error, "/x").what(), "no space is left for the Store /x; "));
  }
}

TEST_CASE("a Store that others could change is not opened") {
  const Directory directory;
  fs::create_directory(directory / "d");
  const std::string path = directory / "d/store.db";
  Store::open(options(path))->publish(sample_record(1));
  const auto refused_with = [&](const std::string& part) {
    for (const StoreMode mode : {StoreMode::read_write, StoreMode::read_only}) {
      CHECK(contains(open_error(options(path, mode)), part));
    }
    std::vector<std::string> messages;
    const auto library = Store::open(options(path, StoreMode::library, &messages));
    CHECK(messages.size() == 1);
    CHECK(library->measurements().empty());
  };
  for (const mode_t mode : {mode_t{0620}, mode_t{0602}, mode_t{0666}}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    refused_with("chmod go-w " + path);
  }
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  CHECK_FALSE(unsafe_ownership(path));

  REQUIRE(::chmod((directory / "d").c_str(), 0777) == 0);
  refused_with("chmod go-w " + (directory / "d"));
  // Sticky keeps others from renaming the Store, not from beginning a log beside it.
  REQUIRE(::chmod((directory / "d").c_str(), 01777) == 0);
  refused_with("mkdir -m 700 " + (directory / "d/NAME"));
  REQUIRE(::chmod((directory / "d").c_str(), 0755) == 0);

  // A link does not hide where the file really stands.
  fs::create_directory(directory / "open");
  fs::create_symlink(path, directory / "link.db");
  CHECK(open_error(options(directory / "link.db")).empty());
  REQUIRE(::chmod((directory / "d").c_str(), 0777) == 0);
  CHECK(contains(open_error(options(directory / "link.db")), "chmod go-w " + (directory / "d")));
  REQUIRE(::chmod((directory / "d").c_str(), 0755) == 0);

  if (::geteuid() == 0) {
    REQUIRE(::chown(path.c_str(), 12345, 12345) == 0);
    refused_with("chown 0 " + path);
  } else {
    MESSAGE("skipped: only root can give a file to another user");
  }
}

TEST_CASE("a file that others planted beside a Store is not opened") {
  const Directory directory;
  const std::string path = directory / "store.db";
  Store::open(options(path))->publish_winner(sample_record(1), 0);
  const auto refused_with = [&](const std::string& part) {
    for (const FilesystemKind kind : {FilesystemKind::local, FilesystemKind::network}) {
      CHECK(contains(open_error(on(kind, path, StoreMode::read_only)), part));
      std::vector<std::string> messages;
      CHECK(Store::open(on(kind, path, StoreMode::library, &messages))->winners().empty());
      REQUIRE(messages.size() == 1);
      CHECK(contains(messages[0], part));
    }
    CHECK(contains(open_error(options(path)), part));
  };
  for (const std::string suffix : {"-wal", "-journal", "-shm", "-lock"}) {
    const std::string planted = path + suffix;
    fs::remove(planted);
    write_bytes(planted, "");
    REQUIRE(::chmod(planted.c_str(), 0666) == 0);
    refused_with("chmod go-w " + planted);
    fs::remove(planted);
    fs::create_symlink(directory / "elsewhere", planted);
    refused_with(planted + " is not a regular file");
    fs::remove(planted);
    if (::geteuid() == 0) {
      write_bytes(planted, "");
      REQUIRE(::chown(planted.c_str(), 12345, 12345) == 0);
      refused_with(planted + " belongs to user 12345");
      fs::remove(planted);
    } else {
      MESSAGE("skipped: only root can give a file to another user");
    }
  }
  CHECK(Store::open(options(path))->winners().size() == 1);
}

TEST_CASE("a Store that changes hands while it is being opened is not used") {
  const Directory directory;
  const std::string path = directory / "store.db";
  Store::open(options(path))->publish(sample_record(1));
  for (const StoreMode mode : {StoreMode::read_write, StoreMode::read_only}) {
    REQUIRE(::chmod(path.c_str(), 0600) == 0);
    const int other = ::open((path + "-lock").c_str(), O_RDWR | O_CLOEXEC);
    REQUIRE(::flock(other, LOCK_EX) == 0);
    std::atomic<bool> begun{false};
    StoreOptions waits = options(path, mode);
    waits.filesystem = [&](const std::string&) {
      begun = true;
      return FilesystemKind::local;
    };
    std::string sentence;
    std::thread opening([&] { sentence = open_error(waits); });
    while (!begun)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // it looked at the file and now waits for the lock
    CHECK(::chmod(path.c_str(), 0666) == 0);
    ::close(other);
    opening.join();
    CHECK(contains(sentence, "chmod go-w " + path));
  }
}

TEST_CASE("a Store of root's that others may read is read, by itself and through a link") {
  const Directory directory;
  fs::create_directory(directory / "system");
  const std::string path = directory / "system/store.db";
  const auto system = Store::open(options(path));
  system->publish_winner(sample_record(1), 0);  // stays in the write-ahead log while it is open
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  fs::create_symlink(path, directory / "link.db");
  const auto found = [&](const std::string& where) {
    return Store::open(options(where, StoreMode::library))->find_winner(key_of(sample_record(1))).has_value() &&
           Store::open(options(where, StoreMode::read_only))->find_winner(key_of(sample_record(1))).has_value();
  };
  CHECK(found(path));
  CHECK(found(directory / "link.db"));
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root can be read by another user here");
    return;
  }
  for (const char* const suffix : {"-wal", "-shm"})
    REQUIRE(::chmod((path + suffix).c_str(), 0644) == 0);
  for (const std::string& open : {directory.path().string(), directory / "system"})
    REQUIRE(::chmod(open.c_str(), 0755) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const bool read = ::setuid(12345) == 0 && found(path) && found(directory / "link.db");
    ::_exit(read ? 0 : 1);
  }
  CHECK(wait_for(child) == 0);
}

TEST_CASE("the default path") {
  CHECK(default_store_path("/data", "/home/a") == "/data/attentune/store.db");
  CHECK(default_store_path("", "/home/a") == "/home/a/.local/share/attentune/store.db");
  CHECK(default_store_path("relative", "/home/a") == "/home/a/.local/share/attentune/store.db");
  CHECK(contains(error_of([] { static_cast<void>(default_store_path("", "")); }), "--store"));
  CHECK_FALSE(open_error(options("")).empty());
}

TEST_CASE("paths that a URI would read otherwise") {
  const Directory directory;
  for (const std::string name : {"a b.db", "a?mode=memory.db", "a%20#b.db", "\xc3\xa9.db"}) {
    Store::open(options(directory / name))->publish(sample_record(1));
    CHECK(fs::exists(directory / name));
    CHECK(Store::open(options(directory / name, StoreMode::read_only))->measurements().size() == 1);
    CHECK(Store::open(on(FilesystemKind::network, directory / name, StoreMode::read_only))->measurements().size() == 1);
  }
}

TEST_CASE("a Pack is a Store that cannot be written and whose hash ranks can compare") {
  const Directory directory;
  const std::string path = directory / "pack.db";
  const auto store = Store::open(options(path));
  store->publish_winner(sample_record(1), 0);
  const Pack here = Pack::open(path);
  const Pack shared = Pack::open(path, [](const std::string&) { return FilesystemKind::network; });
  CHECK(here.hash() == store->snapshot_hash());
  CHECK(shared.hash() == here.hash());
  CHECK(here.store().find_winner(key_of(sample_record(1))));
  CHECK(contains(error_of([&] { static_cast<void>(Pack::open(directory / "none.db")); }), "does not exist"));
}

}  // namespace attentune::test
