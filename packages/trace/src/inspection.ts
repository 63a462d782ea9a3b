// What the panels of an inspector ask of a session about one state, and what they are told. Asked lazily, for the panel that is
// open: a Moment would be heavy with all of it. Answers are plain data, like everything that crosses to a page.

import type {Actor, Step, TraceEvent} from './record-format.js';
import type {ShadowMoment} from './session-view.js';
import type {TranslationContent} from './translation-cache-content.js';

/** Address spaces that a session can read: guest-virtual, guest-physical, host-virtual (of QEMU and the kernel under it), host-physical. */
export type MemorySpace = 'gva' | 'gpa' | 'hva' | 'hpa';

export type InspectionRequest =
  /** `length` bytes at most 4096. */
  | {readonly panel: 'memory'; readonly space: MemorySpace; readonly address: bigint; readonly length: number}
  /** Who last wrote a byte before the playhead. */
  | {readonly panel: 'writer'; readonly space: MemorySpace; readonly address: bigint}
  /** A walk of an address through the tables as they are: looking changes nothing, and no TLB answers. */
  | {
      readonly panel: 'walk';
      readonly space: 'gva' | 'hva';
      readonly address: bigint;
      readonly access: 'read' | 'write' | 'execute';
    }
  /** What the TLB answered in so many steps before the playhead, 1 to MOST_REPLAYED_STEPS. They are run again, elsewhere. */
  | {readonly panel: 'lookups'; readonly steps: number}
  /** The translation cache, and the block that lies at an address in it; the one that runs or ran last where absent. */
  | {readonly panel: 'translation'; readonly at: bigint | undefined}
  | {readonly panel: 'descriptors' | 'tlb' | 'fault' | 'devices' | 'kvm-run' | 'statistics' | 'vcpu' | 'entry-checks'};

/** The longest stretch of steps that is run again for an answer. */
export const MOST_REPLAYED_STEPS = 4096;

export type InspectionPanel = InspectionRequest['panel'];

/** Bytes of one page that a view covers. */
export interface MemoryStretch {
  /** Offset from the first byte asked for. */
  readonly offset: number;
  readonly length: number;
  /** Where the first byte of it lies; undefined where it lies nowhere, or the record does not tell. */
  readonly gpa: number | undefined;
  /** Where the host's own page tables have it, under a hypervisor with a user space. */
  readonly hva: bigint | undefined;
  readonly hpa: number | undefined;
  /** Why there are no bytes; undefined where there are. */
  readonly missing: string | undefined;
}

export interface MemoryContent {
  readonly space: MemorySpace;
  readonly address: bigint;
  /** As many as were asked for; zeros where `stretches` says that nothing is there. */
  readonly bytes: Uint8Array;
  readonly stretches: readonly MemoryStretch[];
  /** Offsets of bytes that the last step changed. */
  readonly changed: readonly number[];
  /** Offsets of bytes that it wrote with the value that they held. */
  readonly rewritten: readonly number[];
  /** Where registers of whoever runs point: the next instruction, the top of the stack. */
  readonly marks: readonly {readonly offset: number; readonly length: number; readonly label: string}[];
}

export interface WriterContent {
  readonly space: MemorySpace;
  readonly address: bigint;
  /** The step that wrote it; undefined where nobody did since the record began. */
  readonly step: Step | undefined;
  /** Values of the byte around that step. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  readonly sentence: string;
}

/** One station of an address on its way to memory. */
export interface PathStation {
  readonly space: MemorySpace;
  readonly address: bigint;
  /** What leads here from the station before: 'memory slot 0'; '' for the first. */
  readonly by: string;
}

export interface WalkContent {
  /** Through all spaces, as far as tables and slots lead; KVM goes this way when it maps a page, the processor has shorter ones. */
  readonly path: readonly PathStation[];
  /** Why the path ends before memory; undefined where it does not. */
  readonly end: string | undefined;
  readonly walk: Extract<TraceEvent, {kind: 'page-walk'}>;
  /** What the walk leads to, or the fault that ends it and who gets it, in sentences. */
  readonly sentences: readonly string[];
  readonly hostPhysical: number | undefined;
  readonly guestPhysical: number | undefined;
  /** Shadow paging: the guest's tables beside the shadow for the same address. */
  readonly shadow: ShadowMoment | undefined;
}

/** The last walk that was refused, and what became of it. */
export interface FaultContent {
  readonly linear: bigint;
  readonly sentences: readonly {readonly text: string; /** Whose event it is. */ readonly step: number}[];
}

export interface DescriptorEntry {
  /** Number in its table: a vector in an IDT. */
  readonly index: number;
  readonly bytes: Uint8Array;
  /** 'code, readable, 64-bit', 'interrupt gate', 'busy 64-bit TSS'. */
  readonly type: string;
  readonly present: boolean;
  readonly dpl: number;
  /** Segments. */
  readonly base: bigint | undefined;
  readonly limit: bigint | undefined;
  /** Gates. */
  readonly target: {readonly selector: number; readonly offset: bigint} | undefined;
  /** Interrupt stack table entry of a 64-bit gate; 0 or undefined: none. */
  readonly ist: number | undefined;
  /** Registers that were loaded from it (CS, TR, …), or the name of an exception. */
  readonly marks: readonly string[];
  readonly changed: boolean;
}

export interface DescriptorTable {
  readonly name: 'GDT' | 'LDT' | 'IDT' | 'IVT' | 'TSS';
  readonly base: bigint;
  /** The last valid offset. */
  readonly limit: number;
  readonly entries: readonly DescriptorEntry[];
  /** How many more there are that hold nothing, or that did not fit. */
  readonly empty: number;
  readonly cut: number;
  /** Of a TSS. */
  readonly fields: readonly {
    readonly name: string;
    readonly value: bigint;
    readonly address: boolean;
    readonly changed: boolean;
  }[];
  /** Why nothing can be shown; undefined where something can. */
  readonly why: string | undefined;
}

export interface DescriptorContent {
  /** One set on hardware; under a software technique the guest's own and the one that the processor uses. */
  readonly sets: readonly {
    readonly owner: 'guest' | 'processor' | 'host';
    readonly title: string;
    readonly tables: readonly DescriptorTable[];
  }[];
}

export interface TlbRow {
  readonly linear: bigint;
  /** Whose linear address it is: a guest's (or of a machine that has only one space), or the host's. */
  readonly space: 'gva' | 'hva';
  /** 'host', 'VPID 1'; '' where nobody shares the TLB. */
  readonly whose: string;
  readonly physical: number;
  /** log2 of the size of the page that the entry is a part of. */
  readonly pageBits: number;
  readonly rights: readonly string[];
  /** VPID or ASID; 0 is the host, or a processor without either. */
  readonly identifier: number;
  /** Host-physical address of the EPT or nested root that it went through. */
  readonly root: number | undefined;
  /** undefined: PCIDs are not in use. */
  readonly pcid: number | undefined;
  readonly global: boolean;
  /** Whether the processor would use it now. */
  readonly current: boolean;
  /** 'stale': a walk of the present tables gives something else. 'unchecked': its tables are not known now. */
  readonly state: 'fresh' | 'stale' | 'unchecked';
  readonly why: string;
  /** The step that changed the tables under a stale entry, where the record knows it. */
  readonly changedAt: number | undefined;
}

export interface TlbContent {
  readonly rows: readonly TlbRow[];
  /** What an identifier is called here. */
  readonly identifierName: 'VPID' | 'ASID';
  readonly capacity: number;
  readonly sentence: string;
}

/** Translations asked for by fetches, reads and writes. */
export interface LookupTally {
  readonly execute: number;
  readonly read: number;
  readonly write: number;
}

/**
 * One lookup is a page that a step fetches from, reads or writes, counted once in a step for each of the three; it is a walk where
 * the TLB did not know the page, or not with the rights.
 */
export interface LookupContent {
  /** The first state from which steps were run again, and how many were. */
  readonly from: number;
  readonly steps: number;
  readonly hits: LookupTally;
  readonly walks: LookupTally;
  /** Of the last step. */
  readonly rows: readonly {
    readonly linear: bigint;
    readonly access: 'execute' | 'read' | 'write';
    readonly answer: 'hit' | 'walk';
  }[];
  readonly sentence: string;
}

export interface DeviceContent {
  readonly name: string;
  readonly title: string;
  /** Where software finds it: '20h, 21h, a0h, a1h'. */
  readonly place: string;
  /** Bytes of state. */
  readonly size: number;
  readonly changed: boolean;
  readonly rows: readonly {
    readonly name: string;
    readonly value: string;
    readonly meaning: string;
    readonly changed: boolean;
    readonly was: string | undefined;
  }[];
}

/** What user space has asked of KVM so far, by the file on which it asked, and which exits came up to it. */
export interface IoctlLoop {
  /** The files in the order in which each was made: /dev/kvm, the virtual machine's, the virtual CPU's. */
  readonly files: readonly {
    readonly level: 'system' | 'VM' | 'vCPU';
    /** As /proc/PID/fd shows it. */
    readonly name: string;
    /** The ioctl that gave it; undefined for a file that was opened. */
    readonly madeBy: string | undefined;
    readonly isThere: boolean;
    readonly calls: readonly {
      readonly name: string;
      readonly count: number;
      /** The step of its last call. */
      readonly last: number;
      /** It has not returned. */
      readonly isUnderWay: boolean;
    }[];
  }[];
  /** Exits of the guest by who answered them; undefined for a recording of user space, which does not hear of most. */
  readonly answered: {readonly kvm: number; readonly userSpace: number} | undefined;
}

export interface KvmRunContent {
  /** Undefined for a recording that does not tell. */
  readonly loop: IoctlLoop | undefined;
  /** Undefined while KVM_RUN has not returned. */
  readonly page: KvmRunPage | undefined;
}

/** struct kvm_run. */
export interface KvmRunPage {
  /** Where the page lies; a recording of real KVM does not tell. */
  readonly at: {readonly hva: bigint; readonly hpa: number} | undefined;
  /** The step in which KVM_RUN returned. */
  readonly step: number;
  readonly reason: string;
  /** Whether user space has called KVM_RUN again since. */
  readonly spent: boolean;
  readonly sentence: string;
  readonly rows: readonly {
    readonly offset: number;
    readonly size: number;
    readonly name: string;
    readonly value: string;
    readonly meaning: string;
    /** Where the value is from: the exit, or a register of the guest's at that moment. */
    readonly from: 'exit' | 'guest state' | 'layout';
  }[];
}

/** A row like those of `perf kvm stat`. Cycles are from leaving the guest to entering it again. */
export interface ExitCost {
  readonly reason: string;
  readonly count: number;
  /** Of those that have been answered. */
  readonly answered: number;
  readonly cycles: number;
  readonly least: number;
  readonly most: number;
}

export interface StatisticsContent {
  readonly steps: number;
  readonly cycles: number;
  readonly actors: readonly {
    readonly who: Actor;
    readonly steps: number;
    readonly instructions: number;
    readonly cycles: number;
  }[];
  readonly exits: readonly ExitCost[];
  /** Counters by heading; `meaning` says what is counted. */
  readonly groups: readonly {
    readonly title: string;
    readonly counters: readonly {readonly name: string; readonly value: number; readonly meaning: string}[];
  }[];
}

export interface VcpuContent {
  readonly rows: readonly {
    readonly register: string;
    /** What the guest would find, and what the processor (or the state that it loads) holds. */
    readonly guest: bigint;
    readonly processor: bigint;
    /** Named bits in which they differ: '+WP', '−PG' (what the processor has more or less). */
    readonly difference: readonly string[];
    readonly differs: boolean;
    readonly why: string;
    readonly changed: boolean;
  }[];
  readonly sentence: string;
  /** What the second column is: 'the processor', 'the VMCS’s guest state'. */
  readonly holder: string;
}

export interface EntryCheckContent {
  readonly how: string;
  readonly verdict: 'enters' | 'refused';
  readonly sentence: string;
  readonly groups: readonly {
    readonly title: string;
    readonly made: number;
    readonly failed: readonly {
      readonly rule: string;
      readonly values: readonly (readonly [string, string])[];
      readonly source: string;
      readonly cause: string | undefined;
    }[];
  }[];
}

/** What each panel shows. */
export interface InspectionContents {
  readonly memory: MemoryContent;
  readonly writer: WriterContent;
  readonly walk: WalkContent;
  readonly fault: FaultContent;
  readonly descriptors: DescriptorContent;
  readonly tlb: TlbContent;
  readonly lookups: LookupContent;
  readonly devices: readonly DeviceContent[];
  readonly 'kvm-run': KvmRunContent;
  readonly statistics: StatisticsContent;
  readonly vcpu: VcpuContent;
  readonly 'entry-checks': EntryCheckContent;
  readonly translation: TranslationContent;
}

/** The content of a panel at the state `index`, or why there is none: the technique has no such thing, or a recording does not hold it. */
export type Inspection = {
  readonly [P in InspectionPanel]:
    | {readonly panel: P; readonly index: number; readonly content: InspectionContents[P]}
    | {readonly panel: P; readonly index: number; readonly content: undefined; readonly why: string};
}[InspectionPanel];
