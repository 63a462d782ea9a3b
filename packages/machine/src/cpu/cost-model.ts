// What things cost in cycles. The simulated clock advances by these figures and by nothing else, so it is
// deterministic; the interface can say for each figure where it comes from, or that it is our assumption.

/** A figure in cycles with its source; `assumed` when nobody measured it and we chose it. */
export interface Cost {
  readonly cycles: number;
  readonly source: string;
  readonly kind: 'measured' | 'derived' | 'assumed';
}

export interface CostModel {
  readonly id: string;
  readonly title: string;
  /** The main source of the figures. */
  readonly source: string;
  /** Cycles in a second: what joins the processor's clock to those of the devices. */
  readonly second: Cost;
  /** Any instruction that has no figure of its own. */
  readonly instruction: Cost;
  /** Delivery of an exception or interrupt through the IDT, on top of the instruction. */
  readonly exception: Cost;
  /** SYSCALL and SYSRET, each. */
  readonly syscall: Cost;
  readonly portAccess: Cost;
  readonly vmEntry: Cost;
  readonly vmExit: Cost;
  readonly vmread: Cost;
  readonly vmwrite: Cost;
  /** One memory reference of a page walk, guest or EPT. */
  readonly tlbMissReference: Cost;
}

const ADAMS_AGESEN = 'Adams and Agesen, ASPLOS 2006';
const AGESEN_2012 = 'Agesen, Mattson, Rugina and Sheldon, USENIX ATC 2012, Table 1';

const measured = (cycles: number, source: string): Cost => ({cycles, source, kind: 'measured'});
const derived = (cycles: number, source: string): Cost => ({cycles, source, kind: 'derived'});
const assumed = (cycles: number, why: string): Cost => ({cycles, source: `our assumption: ${why}`, kind: 'assumed'});

const ONE_CYCLE = assumed(1, 'one cycle an instruction; no pipeline or cache is modelled');
const REFERENCE = assumed(20, 'about one access to a second-level cache for each reference of a walk');

/** The first processor with VT-x, as the paper measured it. */
export const PRESCOTT_COSTS: CostModel = {
  id: 'prescott-2005',
  title: 'Pentium 4 672, 3.8 GHz (Prescott, 2005)',
  source: ADAMS_AGESEN,
  second: derived(3_800_000_000, `${ADAMS_AGESEN}: the processor is a 3.8 GHz one`),
  instruction: ONE_CYCLE,
  exception: measured(889, `${ADAMS_AGESEN}, Figure 4: native divzero, fault and return`),
  syscall: derived(121, `${ADAMS_AGESEN}, Figure 4: native syscall round trip 242, halved`),
  portAccess: measured(3209, `${ADAMS_AGESEN}, Figure 4: native in from port 0x80`),
  vmEntry: measured(2409, `${ADAMS_AGESEN}, Table 1: VM entry`),
  vmExit: measured(1931, `${ADAMS_AGESEN}, Table 1: page-fault VM exit`),
  vmread: measured(178, `${ADAMS_AGESEN}, Table 1: VMCB read`),
  vmwrite: measured(171, `${ADAMS_AGESEN}, Table 1: VMCB write`),
  tlbMissReference: REFERENCE,
};

export const CORE_2_COSTS: CostModel = {
  id: 'core2-2006',
  title: 'Core 2 Duo, 2.66 GHz (pre-production, 2006)',
  source: ADAMS_AGESEN,
  second: derived(2_660_000_000, `${ADAMS_AGESEN}: the processor is a 2.66 GHz one`),
  instruction: ONE_CYCLE,
  exception: assumed(889, 'the Pentium 4 figure; the paper gives none for this processor'),
  syscall: assumed(121, 'the Pentium 4 figure; the paper gives none for this processor'),
  portAccess: assumed(3209, 'the Pentium 4 figure; the paper gives none for this processor'),
  vmEntry: measured(937, `${ADAMS_AGESEN}, Table 1: VM entry`),
  vmExit: measured(1186, `${ADAMS_AGESEN}, Table 1: page-fault VM exit`),
  vmread: measured(52, `${ADAMS_AGESEN}, Table 1: VMCB read`),
  vmwrite: measured(44, `${ADAMS_AGESEN}, Table 1: VMCB write`),
  tlbMissReference: REFERENCE,
};

/** The series of round trips gives sums only; how a sum divides is taken from the Core 2 figures (937 : 1186). */
const split = (sum: number, part: number, name: string): Cost =>
  derived(
    Math.round((sum * part) / 2123),
    `${AGESEN_2012}: ${name} round trip ${sum}, divided as Core 2 divides it (${ADAMS_AGESEN}, Table 1)`,
  );

const later = (id: string, title: string, name: string, roundTrip: number): CostModel => ({
  id,
  title,
  source: AGESEN_2012,
  second: assumed(2_660_000_000, 'the clock of the Core 2; the paper gives none for this processor'),
  instruction: ONE_CYCLE,
  exception: assumed(500, 'no figure in the sources; below the Pentium 4 figure of 889'),
  syscall: assumed(75, 'no figure in the sources; below the Pentium 4 figure of 121'),
  portAccess: assumed(1500, 'no figure in the sources; below the Pentium 4 figure of 3209'),
  vmEntry: split(roundTrip, 937, name),
  vmExit: split(roundTrip, 1186, name),
  vmread: assumed(30, 'no figure in the sources; below the Core 2 figure of 52'),
  vmwrite: assumed(30, 'no figure in the sources; below the Core 2 figure of 44'),
  tlbMissReference: REFERENCE,
});

export const NEHALEM_COSTS = later('nehalem-2009', 'Nehalem (2009)', 'Nehalem', 1009);
export const WESTMERE_COSTS = later('westmere-2010', 'Westmere (2010)', 'Westmere', 761);
export const SANDY_BRIDGE_COSTS = later('sandy-bridge-2011', 'Sandy Bridge (2011)', 'Sandy Bridge', 784);

export const COST_MODELS: readonly CostModel[] = [
  PRESCOTT_COSTS,
  CORE_2_COSTS,
  NEHALEM_COSTS,
  WESTMERE_COSTS,
  SANDY_BRIDGE_COSTS,
];

export function costModelById(id: string): CostModel | undefined {
  return COST_MODELS.find(model => model.id === id);
}
