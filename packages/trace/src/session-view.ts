// What a page (or a terminal) asks of a session, wherever it runs: in a worker, in this process, or played from a file.
// Answers are plain data that structured clone can carry: no functions, no class instances, typed arrays for bulk.

import type {EncodingPart} from '@hyperscope/isa';
import type {ShadowComparison, ShadowStatistics} from '@hyperscope/vmm';
import type {Inspection, InspectionRequest} from './inspection.js';
import type {Actor, RecordHeader, Step, TraceEvent} from './record-format.js';

/** A sentence for an event, made from its checks. */
export interface Explanation {
  readonly title: string;
  readonly sentences: readonly string[];
  /** The checks in order; `decided` marks the one that made it happen. */
  readonly checks: readonly {
    readonly text: string;
    readonly holds: boolean;
    /** For a VM entry that was refused: what people usually did who broke the rule. */
    readonly cause?: string | undefined;
    readonly decided: boolean;
    readonly source: string;
  }[];
  readonly sources: readonly string[];
  /** What would have happened had the decisive check gone the other way. */
  readonly otherwise: string | undefined;
  /** What the instruction of the step means, line by line: `AL ← 0x48`. Absent or empty where the step is none. */
  readonly meaning?: readonly string[];
  /** Registers, flags and memory that the step changed. */
  readonly changes?: readonly {readonly name: string; readonly before: string; readonly after: string}[] | undefined;
}

/** One line of code around the current instruction. */
export interface CodeLine {
  readonly address: bigint;
  readonly bytes: string;
  readonly text: string;
  /** 1-based line in the guest's source, where known. */
  readonly sourceLine: number | undefined;
  /** Of the instruction that is next: what each of its bytes says. */
  readonly encoding?: readonly EncodingPart[] | undefined;
  readonly chips: readonly {
    readonly label: 'privileged' | 'IOPL-sensitive' | 'system-call' | 'stealth' | 'exits';
    readonly why: string;
  }[];
}

/** Text-mode video memory, as a monitor would show it. */
export interface ScreenView {
  readonly columns: number;
  readonly rows: number;
  /** Two bytes a place, row by row: the character (code page 437), then its colours (3:0 ink, 6:4 paper, 7 blink). */
  readonly cells: Uint8Array;
  /** Where the cursor stands, counted from the first place; undefined while it is off or elsewhere. */
  readonly cursor: number | undefined;
}

/** What the shadow MMU holds: two walks of the address that it was last concerned with, and its counts. */
export interface ShadowMoment extends ShadowComparison {
  readonly statistics: ShadowStatistics;
  /** Shadow pages in use, and how many there is room for. */
  readonly pages: {readonly used: number; readonly capacity: number};
}

/** Events that are legs of the route of an exit; `kvm-exit` is where KVM_RUN returned to user space. */
export const ROUTE_KINDS = ['vm-exit', 'kvm-exit', 'vm-entry'] as const;

/** Everything that the panels show at one playhead position. */
export interface Moment {
  /** State index: 0 is before the first step. The step about to run is `step`. */
  readonly index: number;
  /** The state right before the guest's first instruction that completes: where a page opens. 0 without a hypervisor. */
  readonly start: number;
  /** States recorded so far, minus one; the playhead may be anywhere in 0 … length. */
  readonly length: number;
  readonly finished: boolean;
  /** How the run ended, when it has: a sentence. */
  readonly outcome: string | undefined;
  readonly header: RecordHeader;
  /** The step that led here (undefined at 0) and the one that comes next (undefined at the end of a finished run). */
  readonly last: Step | undefined;
  readonly next: Step | undefined;
  readonly who: Actor;
  /** 'root', 'non-root', or 'none' outside VMX operation. */
  readonly operation: 'none' | 'root' | 'non-root';
  readonly cpl: number;
  readonly mode: string;
  /** The register bank, cell by cell, now and before the last step. */
  readonly registers: BigUint64Array;
  readonly previousRegisters: BigUint64Array;
  /** Events of the last step. */
  readonly events: readonly TraceEvent[];
  /** The last exit before this moment and what of its route came after it, in the order of time. */
  readonly route: readonly {readonly step: number; readonly kind: (typeof ROUTE_KINDS)[number]}[];
  readonly why: Explanation;
  readonly code: readonly CodeLine[];
  readonly serial: string;
  /** What stands on the guest's text screen; undefined where there is no video adapter, or nothing was written. */
  readonly screen?: ScreenView | undefined;
  /** Several virtual machines: who has the processor, by name, and what stands on each console. `serial` is the first one's. */
  readonly virtualMachines?:
    | {
        readonly current: string;
        readonly consoles: readonly {readonly name: string; readonly text: string}[];
      }
    | undefined;
  /** Named addresses for the strip under the stage, in display order. */
  readonly strip: readonly {
    readonly label: string;
    readonly value: string;
    /** Where it points, if one can look there. */
    readonly at?: {readonly space: 'GVA' | 'GPA' | 'HVA' | 'HPA'; readonly address: bigint} | undefined;
  }[];
  /** VMCS fields by area, when there is a current VMCS. */
  readonly vmcs: readonly {
    readonly area: string;
    readonly name: string;
    readonly value: string;
    readonly changed: boolean;
    /** The value before the last step, where it changed. */
    readonly was?: string | undefined;
    readonly meaning: string;
  }[];
  /** The x87, MMX and SSE registers: nothing where they are as after RESET, or where the record does not hold them. */
  readonly vector: readonly {
    readonly name: string;
    readonly value: string;
    readonly changed: boolean;
    /** The value before the last step, where it changed. */
    readonly was?: string | undefined;
    /** What a control, status or tag word says, and which register a place of the x87 stack is; '' for the rest. */
    readonly meaning: string;
  }[];
  /** The last page walk at or before this moment. */
  readonly walk: Extract<TraceEvent, {kind: 'page-walk'}> | undefined;
  /** Shadow paging: the guest's tables beside the shadow, and what was done so far. Absent where no shadow root is in use. */
  readonly shadow?: ShadowMoment | undefined;
}

/** What is counted in the columns of a timeline. */
export const MARK_ROWS = ['exits', 'exceptions'] as const;

/** The timeline at a resolution: for each column the share of cycles by actor, and marks. */
export interface TimelineWindow {
  readonly fromCycle: number;
  readonly toCycle: number;
  readonly columns: number;
  /** columns × actors, cycles spent; row-major by actor in the order of ACTORS. */
  readonly cycles: Float64Array;
  /** How many events of each of MARK_ROWS each column has: rows × columns, row by row. */
  readonly counts: Uint32Array;
  /** Events of the window that could be marks. Where there are more than marks, `counts` tells how they are spread. */
  readonly marked: number;
  /** Sparse marks inside the window: exits, entries, exceptions; at most a few thousand. */
  readonly marks: readonly {
    readonly step: number;
    readonly cycle: number;
    readonly kind: TraceEvent['kind'];
    readonly label: string;
  }[];
}

/** Granularities of stepping. */
export const GRANULARITIES = ['instruction', 'event', 'exit', 'ring', 'mode'] as const;
export type Granularity = (typeof GRANULARITIES)[number];

/** One row of the table of exits. */
export interface ExitRow {
  readonly reason: string;
  readonly count: number;
  /** The guest instruction of the first of them, disassembled. */
  readonly instruction: string;
  readonly sentence: string;
  /** The steps at which it happened, ascending. */
  readonly steps: Float64Array;
}

/** A session as its clients see it. Over Comlink every method becomes asynchronous. */
export interface SessionClient {
  moment(): Moment;
  /** Moves the playhead; records more when `index` is beyond the end and the run is not finished. */
  seek(index: number): Moment;
  /** Moves by one unit of the granularity; towards the future it may have to run. */
  step(direction: 'forward' | 'back', granularity: Granularity): Moment;
  /** Records until the run ends or `steps` more steps are recorded; the playhead follows when `follow`. Long runs are called in slices. */
  run(steps: number): Moment;
  timeline(fromCycle: number, toCycle: number, columns: number): TimelineWindow;
  exits(): readonly ExitRow[];
  /** Bytes of memory at the playhead. */
  memory(space: 'hpa' | 'hva' | 'gpa' | 'gva', address: bigint, length: number): Uint8Array | undefined;
  /** The step at or before `index` at which the byte was last written. */
  lastWriter(space: 'hpa' | 'gpa', address: bigint): number | undefined;
  /** What a panel of the inspector shows of the state at the playhead; asked for the open panel only. */
  inspect(request: InspectionRequest): Promise<Inspection>;
}
