PRAGMA application_id=1635021934; PRAGMA user_version=1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE tunings(
  id          INTEGER PRIMARY KEY,
  class_text  TEXT NOT NULL,
  bucket_text TEXT NOT NULL,
  device      TEXT NOT NULL,
  policy      TEXT NOT NULL,
  UNIQUE(class_text, device, policy, bucket_text)
) STRICT;
INSERT INTO tunings VALUES(1,'dtype=bf16 group=4 head_dim=128 mask=causal()','batch=1 heads_kv=8 seq=4096','host name=Some_CPU arch=znver4 threads=2','host-1');
CREATE TABLE binaries(
  key             TEXT PRIMARY KEY NOT NULL CHECK(length(key) = 64),
  metadata        TEXT NOT NULL,
  metadata_sha256 TEXT NOT NULL,
  object          BLOB NOT NULL,
  object_bytes    INTEGER NOT NULL,
  object_sha256   TEXT NOT NULL,
  source          BLOB,
  source_bytes    INTEGER NOT NULL DEFAULT 0,
  source_sha256   TEXT NOT NULL DEFAULT '',
  pinned          INTEGER NOT NULL DEFAULT 0 CHECK(pinned IN (0, 1)),
  last_used       INTEGER NOT NULL
) STRICT;
INSERT INTO binaries VALUES('a9f1ee29177a0603743de201e2ed1d5701bf9ccbfdf6243c200e1cf93f68c057','{"key":"a9f1ee29177a0603743de201e2ed1d5701bf9ccbfdf6243c200e1cf93f68c057","arch":"host:x86_64:znver4:avx2","family":"forward_host","compiler":"llvm 19.1.7","options":"","launches":[{"block":["1","1","1"],"cluster":["1","1","1"],"depends_on_previous":false,"entry":"attentune_kernel","grid":["ceil_div(len_q, 64)","1","1"],"parameters":["args"],"shared_bytes":"0","tensor_maps":[],"workspace":[]}],"registers":0,"spill_bytes":0,"shared_bytes":0,"minimum_driver":0,"compile_ms":0.0,"warnings":[],"log":""}','518cb3e1c14f432f2f5305ca215b92d6a7f20674388c25b2470188dd7260db45',X'28b52ffd60d006813e00a4a36bbe08b663eee0a492d21d94fdf82f415b8ccc0664d527a8bbcf0b996482c7b3803165b9d36061f63223e85e5998603eb2d404644a87865b82d1feaff3aed94bdc0015e790f150e1af767ef31a68bbcf9f887836359440db4a4bb07048e409c84d91b2b907eee5f9b0399ec0daa46b7fb829a4f4e62b1e8e3034c92323ad2c43d1d97d24b905884f86abee3c8d96eddf47c29f1b9d99a71c271785f8e64659d29e060e8527adf88aa744bb051cf909c363681b4aea44838e2bb67a1558bc93a7afe2b25643c46a93272e07101070fd7e0f3df8545a6e89495629bed1c414418532a68206bbca48de8a183205cf0b27d9d0eaecb615c1be69f1357395ca4cb4630a4f16a6178a90272f7dabeb6de0c3712f91409687af3a1589064b6167e9b81ea7448f17b7dc3781b0894ce94abf5b38c3d1fca0ed5412c22f9282af5cb2e9c98ca6e704a7cb9774b3ce65277d47100f70cfa425fd158280458b911fb22b885941b47b258078985efe69d7b2a2f234db0e134951d713ca37a5230495dc8e767aaf6f4433bd13273e0f5765dd793b87b1e99ca37d012da00b55dcf01ddd5247ba83f374637c6e6be4088deda8bb57ccb462b4e0798087a329ba1fda85d69ba778df07dd5a09ff5bb662ab27879312ae7773d0000cd980c7d2dc8a41a2859694c249f03753499f6d30b9408d4366c88d0dcf3ec0e862539dc13ecd8cd18142bcb4d1d80979ebba7fdbe4270da6e2d02a75515a9b1f44ea12f3bf39b9cf6616b1f35ae81f8427968d99a5c26966b7633a8c69c5b4416b0765312a560ab090a9b98918b1563be1cc4b075ec391d60396618b8a46565ddc50330c3d70b895ccc3afaaa2a3cbb131588d0b92bba1fe150a82c3dc014ea0ffd1a39a6675d0bdff169ad35cfae002925811cd66aed20d0ca7f071f51e4f65e10e50a6ee4a8486c985c83b7ff1c1bb761664fcdbc66c5fc816cc6af2479572ea14d915d87a764c16cf75b2aef6ef3a75fe8487319b94fcac93b8c201ff1c78fec5dbce8e2ffe3fb1768dddd440bc2105b52dfcb474c6eff260fdbf396ffcf4f71fb0b94b4ee6eb43e98717d660b02d6c11123115a701bb93326b12a420d548f45b544e2deabf7b79291846d42f92e18254ac1b8a65abf940ef5da560f1c9263b81c1abf373c5d284a24bb0a50d08fff4d5ed801c26cc468367d7550dac0f4952593c2fc4963105f6525e05b369cdfcd94dc2aadf6f8ababee0e670f9c5f9214fc454919226c2057a30f6d0a157df94a6df464129d970709fec641c0017191a9cf8bb784859a02018494502b0387dfb1d4e542280d7dffe976e9c8bb2cf4113087e98ef8f28dc666c331668988d516234ed5a7aa756b050da907b79f06527f47a90a962a0e5431c973c3ab72095cd2bb886781ae71c30e4c119c05c2de9d05d650b404884d3d714c9211e33e49dac932eb142d7c096a74fa4aacb9443082a28ef340a66361cbd22bb0f4bf478a75c836414fcaa1fe7ce9cba60f51716c7d095c55aa80c03716cb9f16e1c9b82b831f21f7fba578001f55d23b29e3057358b2298a82ae6006ca7822c300d5278f4804ea22280a491082232ed8aac5e1456e761989cd2aba710eab25635f91533afec76d9c246497d64dfedb03bc9b438f6116e7806e84d26b411fcf5f4daaaf6b7d518a55fd57576a267c8716872e0be522f6b25d4e45eb33e543041added55136297f0ab6670cd4ae71c352bfc77a0b4894bddfc1e0f0b8c10ad72a2f1e28e624c98de2c845aaeced0cbc1423ee5ca81b57f814760275c75f3bc0beafb634185f500365ccd026a05df9ba6e002371af0053f05ecd791016c3abbed91cd1d7a883121ebbe9fb4fde2929ac0163aab92e26f8c3cdaaa335749dd6d98a15e42b72ea3e48faa6c09937f46cfdfde23c5e1a651092e52719abf03b31b72ee24cb9af6f2ebdf414b6c142b2c7566f75080ba7834836eceab9a6b3951c4f08bc9f9ea54a4cf291ad0094caef856ae611fe3c669a3c5a6b04f128114611a60a280dc711a160fff625709d5247dbb71b41dbc40c4eaf3353f25bd4953bdce68165947d6674a96a128d22e74401ae0f58cb298d9953de92d4552be64b4f2b375d96317c941bd66400deb7dad0fe35f48923a2664313f2e19449b961a5b1224c4ed4b2e522d3c4fe6130f8d37d980efb3d9b31a2a47c0c87ed7d794b3e7d7b23043d9fb23994d7aac3f5d04c806dcef145035976ab6df84bc2eb8768c6f3593aa7d24ac39609cd332ffe712113f144d82ffbdf2519b9ff4e9b5334dedb70e721102d39f672772d55264de6134e072b9aa945497a867455c2e8bf3b18a29b01942afdf1b3fe3fa327a37e4c968f3cacfb7705376696ec3a95bcd19d7ac82613f9a8ca8faf71da36ea1707e7b5deb7bd3dd6646d4f5fba2547abe8be86e125eaad6b90b411703fac00e9914231a09335f002bc4844f13342443b15efb8150d5896dfa0daa53f433b6fa85cc8de7e32898ceb5132229bece173da2a5f8dc46c411a0d82a0702b976ec8f1f5adcc91c51fa66795f1ae91fbd41b5f8d4811e0a944044cb650cc8e1a093be16c491db3906516abecc3cabc5d34a2f3e640d7cf59e8b43facadfefb6fe9330ebfc502473d3ab8534cba078925a9a65970a855dc4f41af29c0056b7918e02a13718cffd125a34d17331b5b14070e53e265884fb4e2e6b29ed38282efed032229f3e77d678c6d8af61d4efa61592d258dde7e82dad54c604d94f9f39d263bb87d0ffe6b61a00179aff58731ebce580c767cf89698e8eafccbcfadf3fc3e89f6b582a11578479f2e5ffb',2000,'9188538070a64a51e13fc75281274da8fce2014cbb4d9e3aa0d91b4a7231f4dd',X'28b52ffd200a5100003b20736f757263652031',10,'a56da5e9ba5a373eec0e760083d33c55cd772280c9380ddc7b32daa8418110f8',0,1795260619);
CREATE TABLE measurements(
  id          INTEGER PRIMARY KEY,
  tuning      INTEGER NOT NULL REFERENCES tunings(id),
  session     TEXT NOT NULL,
  measured_at INTEGER NOT NULL,
  binary_key  TEXT NOT NULL,
  family      TEXT NOT NULL,
  config      TEXT NOT NULL,
  problem     TEXT NOT NULL,
  outcome     TEXT NOT NULL
              CHECK(outcome IN ('ok', 'wrong', 'compile_failed', 'refused', 'faulted', 'timed_out')),
  time_ms     REAL NOT NULL,
  spread      REAL NOT NULL,
  repeats     INTEGER NOT NULL,
  error       REAL NOT NULL,
  verified    INTEGER NOT NULL CHECK(verified IN (0, 1)),
  in_final    INTEGER NOT NULL CHECK(in_final IN (0, 1)),
  detail      TEXT NOT NULL
) STRICT;
INSERT INTO measurements VALUES(1,1,'test',1795260619,'a9f1ee29177a0603743de201e2ed1d5701bf9ccbfdf6243c200e1cf93f68c057','forward_host','tile_m=1 | grain=1','dtype=bf16 heads=32/8 head_dim=128 seq=4096','ok',2.5,0.010000000000000000208,20,0.5,1,1,'');
INSERT INTO measurements VALUES(2,1,'test',1795260619,'eb1607391ee6539a1e928e43076a814ab87a4a68091c19834a04c05346f90ad2','forward_host','tile_m=2 | grain=1','dtype=bf16 heads=32/8 head_dim=128 seq=4096','faulted',3.5,0.010000000000000000208,20,0.5,1,1,'signal 11');
CREATE TABLE winners(
  tuning      INTEGER PRIMARY KEY REFERENCES tunings(id),
  measurement INTEGER NOT NULL UNIQUE REFERENCES measurements(id),
  default_ms  REAL NOT NULL,
  decided_at  INTEGER NOT NULL
) STRICT;
INSERT INTO winners VALUES(1,1,2.5,1795260619);
CREATE TABLE misses(
  class_text  TEXT NOT NULL,
  bucket_text TEXT NOT NULL,
  device      TEXT NOT NULL,
  problem     TEXT NOT NULL,
  command     TEXT NOT NULL,
  count       INTEGER NOT NULL CHECK(count > 0),
  last_seen   INTEGER NOT NULL,
  PRIMARY KEY(class_text, bucket_text, device)
) STRICT;
INSERT INTO misses VALUES('dtype=bf16 group=4 head_dim=128 mask=causal()','batch=1 heads_kv=8 seq=8192','host name=Some_CPU arch=znver4 threads=2','a problem','attentune tune it',1,1795260619);
CREATE TABLE counters(
  name  TEXT PRIMARY KEY NOT NULL,
  value INTEGER NOT NULL
) STRICT;
CREATE INDEX measurements_of_tuning ON measurements(tuning);
CREATE INDEX measurements_of_binary ON measurements(binary_key);
CREATE VIEW possible_winners AS
  SELECT m.id AS measurement, m.tuning AS tuning
  FROM measurements AS m JOIN tunings AS t ON t.id = m.tuning
  WHERE m.outcome = 'ok' AND m.verified = 1 AND m.time_ms > 0 AND length(m.binary_key) = 64
    AND (t.device IN ('host', 'gpu') OR t.device GLOB 'host *' OR t.device GLOB 'gpu *');
CREATE TRIGGER winner_is_verified_on_insert BEFORE INSERT ON winners
WHEN NOT EXISTS(SELECT 1 FROM possible_winners WHERE measurement = NEW.measurement AND tuning = NEW.tuning)
BEGIN
  SELECT RAISE(ABORT, 'a Winner must be an ok and verified Measurement of its own bucket on a host or GPU');
END;
CREATE TRIGGER winner_is_verified_on_update BEFORE UPDATE ON winners
WHEN NOT EXISTS(SELECT 1 FROM possible_winners WHERE measurement = NEW.measurement AND tuning = NEW.tuning)
BEGIN
  SELECT RAISE(ABORT, 'a Winner must be an ok and verified Measurement of its own bucket on a host or GPU');
END;
CREATE TRIGGER measurement_is_history BEFORE UPDATE ON measurements
BEGIN
  SELECT RAISE(ABORT, 'a Measurement is never changed');
END;
CREATE TRIGGER tuning_is_history BEFORE UPDATE ON tunings
BEGIN
  SELECT RAISE(ABORT, 'a tuning key is never changed');
END;
CREATE VIEW quarantine AS
  SELECT m.binary_key AS binary_key, t.bucket_text AS bucket_text, t.device AS device,
         sum(m.outcome = 'faulted') AS faulted, sum(m.outcome = 'timed_out') AS timed_out
  FROM measurements AS m JOIN tunings AS t ON t.id = m.tuning
  WHERE m.outcome IN ('faulted', 'timed_out') AND m.binary_key <> ''
  GROUP BY m.binary_key, t.bucket_text, t.device;
COMMIT;
