// What the page asks of the worker: a session, and what a lab needs beside it. Everything that crosses is plain data.

import type {ProxyMarked} from 'comlink';
import type {CompareRow, RealMark, StealthCardPicture} from '@hyperscope/elements';
import type {
  Comparison,
  Moment,
  RecordHeader,
  RunChoice,
  SessionClient,
  SwitchOffer,
  PlayStop,
  RecordSize,
  TimeClient,
} from '@hyperscope/trace';
import type {RealProgram} from './kvm-socket.js';
import type {RunChange} from './switches/run-change.js';
import type {Crossing, FoundPlace, Measured, Measurement, NotMeasured, Place} from '@hyperscope/walkthroughs';
import type {LineupClient} from './compare/lineup-client.js';
import type {PortText} from './port/port-client.js';
import type {WorkloadClient} from './costs/workload-client.js';
import type {QuestionClient} from './scenario/question-client.js';

/** The heading of the chooser under which files stand that the reader opened. */
export const OPENED_FILES = 'Opened files';

export interface GuestEntry {
  readonly id: string;
  readonly title: string;
  readonly teaches: string;
  /** A hypervisor itself: it has exits of its own. */
  readonly isHypervisor: boolean;
  /** The id of the only machine that it runs on; undefined for guests of a PC. */
  readonly only: string | undefined;
  /** The id of the shipped guest whose kernel was ported; absent for others. */
  readonly portOf?: string | undefined;
  /** The heading under which the chooser keeps it apart: `Stealth cards`. */
  readonly group: string | undefined;
}

export interface TechniqueEntry {
  readonly id: string;
  readonly title: string;
  readonly shortTitle: string;
  readonly summary: string;
  /** Whether a hypervisor is there, and whether hardware keeps the guest apart: then there are two sets of rings, and exits. */
  readonly host: 'none' | 'software' | 'hardware';
  /** 'ported': it runs kernels that are ported to its hypercalls, and no others. */
  readonly kernels?: 'ported' | undefined;
}

export interface Catalogue {
  readonly guests: readonly GuestEntry[];
  readonly techniques: readonly TechniqueEntry[];
}

/** A real run beside the simulated one. */
export interface RealComparison {
  /** The header of the real run. */
  readonly header: RecordHeader;
  /** What both have in common and where they differ, in words; the first says how many events match. */
  readonly sentences: readonly string[];
  /** Event by event, in the order of time. */
  readonly rows: readonly CompareRow[];
  /** Counts of exits by reason. */
  readonly exits: Comparison['exits'];
  readonly unexplained: number;
  /** The guest does other things on a machine that has other devices. */
  readonly adapts: boolean;
  readonly marks: readonly RealMark[];
  readonly serial: string;
}

/** Where the cycles of a run come from. */
export interface CostFigures {
  /** The processor: 'Westmere (2010)'. */
  readonly title: string;
  readonly source: string;
  readonly figures: readonly {
    readonly name: string;
    readonly cycles: number;
    readonly kind: 'assumed' | 'calibrated' | 'derived' | 'given' | 'measured';
    readonly source: string;
  }[];
}

/** A file that was made a guest. */
export interface AddedImage {
  readonly id: string;
  readonly title: string;
  /** `boot sector` */
  readonly what: string;
}

export interface RecordingProgress {
  readonly size: RecordSize;
  readonly length: number;
  readonly finished: boolean;
  readonly outcome: string | undefined;
}

/** A word of the assembler, with what the manual calls it. */
export interface AssemblyVocabulary {
  readonly mnemonics: readonly {readonly mnemonic: string; readonly words: string}[];
  readonly registers: readonly string[];
}

/** What is wrong with a text, where, and what to do. Lines and columns count from 1. */
export interface SourceDiagnostic {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly advice: string;
  /** The macro or file in which the text stands, when it is not the line itself. */
  readonly within: string | undefined;
}

/** What the assembler made of a text. */
export interface AssembledText {
  readonly diagnostics: readonly SourceDiagnostic[];
  /** Whether it can be run. */
  readonly isRunnable: boolean;
  /** By line, from 1: where the line's bytes lie, and the first of them. Empty where the text does not assemble. */
  readonly lines: readonly {
    readonly line: number;
    readonly address: bigint;
    readonly bytes: Uint8Array;
    /** Of all the line's bytes. */
    readonly length: number;
  }[];
}

export interface LabClient
  extends
    Pick<SessionClient, 'moment' | 'seek' | 'step' | 'timeline' | 'exits' | 'inspect'>,
    Pick<TimeClient, 'selection' | 'search' | 'runTo' | 'microSteps' | 'size'> {
  catalogue(): Catalogue;
  /** Makes a file a guest, by its contents; the catalogue has it from then on. @throws UserError when it is no image. */
  addImage(name: string, bytes: Uint8Array): Promise<AddedImage>;
  /** A new comparison of machines, in this worker. */
  lineup(): Promise<LineupClient & ProxyMarked>;
  /** What makes seeded questions, in this worker. */
  questions(): Promise<QuestionClient & ProxyMarked>;
  /** A port beside its original; undefined for a guest that is none. */
  portText(guest: string): Promise<PortText | undefined>;
  /** What the paradox of 2005 runs, in this worker. */
  workloads(): Promise<WorkloadClient & ProxyMarked>;
  /**
   * Starts what was chosen; nothing is recorded yet beyond state 0.
   * @throws UserError when a name is unknown or the text does not assemble: then the old session stays.
   */
  open(choice: RunChoice): Promise<Moment>;
  /** Where a place of a scenario is in the open run, recording it as far as need be; `here`: the state at which the scenario stands. */
  findPlace(place: Place, here: number): Promise<FoundPlace>;
  /** What stretches of the open run cost, recording it as far as need be. */
  measure(measurement: Measurement): Promise<readonly (Measured | NotMeasured)[]>;
  /** The ways that the processor took in the open run, from who had it to who had it next. */
  crossings(): Promise<readonly Crossing[]>;
  /** What this run does otherwise than the one that was open before, where that was of the same guest. Records both. */
  change(): Promise<RunChange | undefined>;
  /** The state in which the guest has come as far as it had at a state of the run before. */
  samePlace(before: number): Promise<number | undefined>;
  /** What can be set before a guest runs on a technique. @throws UserError when either is unknown. */
  switches(technique: string, guest: string): readonly SwitchOffer[];
  /** Assembles a text in the place of a guest's. @throws UserError when there is no such guest. */
  assemble(guest: string, source: string): Promise<AssembledText>;
  /** The words of the assembler, for an editor. */
  vocabulary(): Promise<AssemblyVocabulary>;
  /** Moves on by up to `steps` steps from state `from`, stopping short after the first event of one of the kinds. */
  play(from: number, steps: number, stops: readonly PlayStop[]): Moment;
  /** Records up to `steps` more steps; the playhead stays. */
  extend(steps: number): RecordingProgress;
  /** NASM source of the open guest: of what runs, and as it ships. */
  source(): {readonly running: string; readonly shipped: string} | undefined;
  /** What a server with a real KVM can be given to run the same. */
  program(): RealProgram;
  /** The figures behind the cycles of the open run. */
  costs(): CostFigures | undefined;
  /** What the open guest's kernel gets in every ring, where it is a stealth card. Runs it several times. */
  card(): Promise<StealthCardPicture | undefined>;
  /** Cycle counter at the end of what is recorded. */
  endCycle(): number;
  /** The last state that the cycle counter had reached. */
  stateAtCycle(cycle: number): number;
  /** Opens the record of a real run (a file's bytes) and lays it beside this one. @throws UserError when it is no such file. */
  compareWith(record: Uint8Array): Promise<RealComparison>;
}
