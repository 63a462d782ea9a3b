// What the page asks of the simulator for the paradox of 2005: one workload on one machine of one generation at a time.

/** A generation of processors: an option of the chooser. */
export interface GenerationEntry {
  /** Id of its cost model. */
  readonly id: string;
  readonly title: string;
  /** Cycles of a VM exit and entry; of a step of a VMM in software; of a reference of a page walk. */
  readonly roundTrip: number;
  readonly vmmStep: number;
  readonly walkReference: number;
  /** The hypervisors that it can run, by technique. */
  readonly machines: readonly string[];
}

export interface WorkloadEntry {
  readonly id: string;
  readonly title: string;
  readonly what: string;
}

/** What is run: `costs` are figures changed in the generation's model, as the command line writes them: `vm-exit=0`. */
export interface WorkloadRequest {
  readonly generation: string;
  readonly technique: string;
  readonly workload: string;
  readonly costs: readonly string[];
}

export interface WorkloadResult {
  readonly cycles: number;
  readonly exits: number;
  readonly instructions: number;
}

export interface WorkloadClient {
  generations(): readonly GenerationEntry[];
  /**
   * Adds the machine that somebody measured: what `hyperscope measure --json` wrote. A second or two.
   * @throws UserError when it is something else.
   */
  addMeasured(measurements: string): GenerationEntry;
  workloads(): readonly WorkloadEntry[];
  /** Machines whose cycles differ by no more than this share are even. */
  even(): number;
  /** Runs it: some tenths of a second, up to a few. @throws UserError for a name that does not exist. */
  run(request: WorkloadRequest): WorkloadResult;
}
