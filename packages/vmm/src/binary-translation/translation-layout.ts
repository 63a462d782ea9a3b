// Where the translation cache lies: in the VMM's window, so that it is mapped in every address space of the guest.
//
//   +08e00  what code of the cache puts aside: guest registers, the address that is looked up (`SCRATCH`)
//   +09000  the look-up table of code in the cache: 256 tags, then 256 addresses in the cache (8 bytes each)
//   +0a000  tables by which PUSHF, POPF and MOV to CR8 are done without touching a flag: 256 entries each, 8 bytes each
//   +40000  the cache: x86 code, 64 KiB, aligned, so that a 16-bit code segment reaches all of it
//   +50000  header: bytes of the cache in use, fragments, map entries, how often it was emptied (4 bytes each); for whose
//           context and code base the look-up table holds (8 bytes each)
//   +51000  hash table: 1024 chains of fragments, by guest address (4 bytes each: number of the first fragment + 1)
//   +52000  suspects: instructions that wrote to traced pages, 128 of 16 bytes (`suspects.ts`)
//   +60000  fragments, 64 bytes each           +a0000  the map, 16 bytes an instruction of the cache
//   +120000 tracked pages, a bit for each guest frame below 4 GiB
//
// Translated code reaches the first three by GS, which begins at the virtual CPU.

import {VIRTUAL_CPU} from '../trap-and-emulate/vmm-layout.js';

export const SCRATCH = VIRTUAL_CPU + 0xe00;
/** Offsets in the scratch area: RCX and RAX of the guest's; a guest address; an address of the cache; bits 15:8 of RFLAGS. */
export const SAVED_CX = SCRATCH;
export const SAVED_AX = SCRATCH + 8;
export const TARGET = SCRATCH + 0x10;
export const JUMP = SCRATCH + 0x18;
export const FLAGS_BYTE = SCRATCH + 0x20;
export const FLAGS_IMAGE = SCRATCH + 0x28;
/** m16:32 of the call gate: in 64-bit mode CALL to another segment must find it in memory. */
export const GATE_POINTER = SCRATCH + 0x30;
export const LOOKUP_TAGS = VIRTUAL_CPU + 0x1000;
export const LOOKUP_TARGETS = VIRTUAL_CPU + 0x1800;
export const LOOKUP_ENTRIES = 256;
export const PUSHF_TABLE = VIRTUAL_CPU + 0x2000;
export const POPF_TABLE = VIRTUAL_CPU + 0x2800;
export const CR8_TABLE = VIRTUAL_CPU + 0x3000;
/** The last offset of the segment by which translated code reaches the virtual CPU. */
export const VIRTUAL_CPU_LIMIT = 0x37ff;

export const CACHE = 0x4_0000;
export const CACHE_BYTES = 0x1_0000;
export const HEADER = 0x5_0000;
export const HASH = 0x5_1000;
export const HASH_CHAINS = 1024;
export const SUSPECTS = 0x5_2000;
export const SUSPECT_BYTES = 16;
export const MOST_SUSPECTS = 128;
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
export const LOOKUP_CONTEXT = 16;
export const LOOKUP_BASE = 24;
