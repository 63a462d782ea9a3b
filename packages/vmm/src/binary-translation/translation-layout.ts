// Where the translation cache lies: in the VMM's window, so that it is mapped in every address space of the guest.
//
//   +40000  the cache: x86 code, 64 KiB, aligned, so that a 16-bit code segment reaches all of it
//   +50000  header: bytes of the cache in use, fragments, map entries, how often it was emptied (4 bytes each)
//   +51000  hash table: 1024 chains of fragments, by guest address (4 bytes each: number of the first fragment + 1)
//   +60000  fragments, 64 bytes each           +a0000  the map, 16 bytes an instruction of the cache
//   +120000 tracked pages, a bit for each guest frame below 4 GiB

export const CACHE = 0x4_0000;
export const CACHE_BYTES = 0x1_0000;
export const HEADER = 0x5_0000;
export const HASH = 0x5_1000;
export const HASH_CHAINS = 1024;
export const FRAGMENTS = 0x6_0000;
export const FRAGMENT_BYTES = 64;
export const MOST_FRAGMENTS = 4096;
export const MAP = 0xa_0000;
export const MAP_ENTRY_BYTES = 16;
export const MOST_MAP_ENTRIES = 32_768;
export const TRACKED = 0x12_0000;
export const TRACKED_BYTES = 0x2_0000;

/** Offsets in the header. */
export const IN_USE = 0;
export const FRAGMENT_COUNT = 4;
export const MAP_COUNT = 8;
export const FLUSHES = 12;
