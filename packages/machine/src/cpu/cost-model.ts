// What things cost in cycles, by named processor. The simulated clock advances by these figures and by nothing else, so it is
// deterministic; the interface can say for each figure where it comes from, or that it is our assumption.

import type {Cost, CostModel, CostName} from './cost.js';
import {assumed, calibrated, derived, measured} from './cost.js';

const ADAMS_AGESEN = 'Adams and Agesen, ASPLOS 2006';
const AGESEN_2012 = 'Agesen, Mattson, Rugina and Sheldon, USENIX ATC 2012, Table 1';

const ONE_CYCLE = assumed(1, 'one cycle an instruction; no pipeline or cache is modelled');
const REFERENCE = assumed(20, 'about one access to a second-level cache for each reference of a walk');
const UNTOLD_PENTIUM_4 = 'the Pentium 4 figure; the paper gives none for this processor';
const NOT_TOLD_APART = assumed(0, 'no figure in the sources; not told apart from any other instruction');
const FITTED = `fitted to the hardware column of ${ADAMS_AGESEN}, Figure 4: docs/cost-model.md`;

const FITTED_SOFTWARE = `fitted to the software column of ${ADAMS_AGESEN}, Figure 4: docs/cost-model.md`;

/** The first processor with VT-x, as the paper measured it. */
export const PRESCOTT_COSTS: CostModel = {
  id: 'prescott-2005',
  title: 'Pentium 4 672, 3.8 GHz (Prescott, 2005)',
  source: ADAMS_AGESEN,
  second: derived(3_800_000_000, `${ADAMS_AGESEN}: the processor is a 3.8 GHz one`),
  instruction: ONE_CYCLE,
  nearReturn: derived(9, `${ADAMS_AGESEN}, Figure 4: native call/ret 11, less a cycle for each of the two`),
  interruptFlag: measured(60, `${ADAMS_AGESEN}, section 3.1: native cli`),
  exception: measured(889, `${ADAMS_AGESEN}, Figure 4: native divzero, fault and return`),
  pageFault: derived(
    124,
    `${ADAMS_AGESEN}, Figure 4: native pgfault 1093, less divzero 889 and the four references of the walk`,
  ),
  syscall: derived(121, `${ADAMS_AGESEN}, Figure 4: native syscall round trip 242, halved`),
  portAccess: measured(3209, `${ADAMS_AGESEN}, Figure 4: native in from port 0x80`),
  controlRegisterWrite: assumed(150, 'the figure of CR8; the paper gives none for the others'),
  cr8Write: measured(150, `${ADAMS_AGESEN}, Figure 4: native cr8wr`),
  cr8WriteShadowed: calibrated(177, FITTED),
  vmEntry: measured(2409, `${ADAMS_AGESEN}, Table 1: VM entry`),
  vmExit: derived(
    1554,
    `${AGESEN_2012}: Prescott round trip 3963, less the VM entry of ${ADAMS_AGESEN}, Table 1, which is 2409`,
  ),
  exceptionExit: measured(1931, `${ADAMS_AGESEN}, Table 1: page-fault VM exit`),
  vmread: measured(178, `${ADAMS_AGESEN}, Table 1: VMCB read`),
  vmwrite: measured(171, `${ADAMS_AGESEN}, Table 1: VMCB write`),
  tlbMissReference: REFERENCE,
  callGate: derived(
    113,
    `${ADAMS_AGESEN}, section 6.3: rdtsc by a callout 1254, by trap and emulation 2030; native divzero 889 less the difference`,
  ),
  hostStep: calibrated(370, FITTED),
  vmmStep: calibrated(232, FITTED_SOFTWARE),
  userStep: calibrated(2000, FITTED),
};

/** What no source tells of processors after the Pentium 4. */
const UNTOLD_LATER = {
  instruction: ONE_CYCLE,
  nearReturn: NOT_TOLD_APART,
  interruptFlag: NOT_TOLD_APART,
  pageFault: assumed(62, 'no figure in the sources; half of the Pentium 4 figure of 124'),
  controlRegisterWrite: assumed(75, 'no figure in the sources; half of the Pentium 4 figure of 150'),
  cr8Write: assumed(75, 'no figure in the sources; half of the Pentium 4 figure of 150'),
  cr8WriteShadowed: assumed(75, 'no figure in the sources; as without a TPR shadow'),
  tlbMissReference: REFERENCE,
  callGate: assumed(half('callGate'), 'no figure in the sources; half of the Pentium 4 figure of 113'),
  hostStep: assumed(half('hostStep'), 'the figure that was fitted for the Pentium 4, halved'),
  vmmStep: assumed(half('vmmStep'), 'the figure that was fitted for the Pentium 4, halved'),
  userStep: assumed(half('userStep'), 'the figure that was fitted for the Pentium 4, halved'),
} as const satisfies Partial<Record<CostName, Cost>>;

function half(name: CostName): number {
  return Math.round(PRESCOTT_COSTS[name].cycles / 2);
}

export const CORE_2_COSTS: CostModel = {
  ...UNTOLD_LATER,
  id: 'core2-2006',
  title: 'Core 2 Duo, 2.66 GHz (pre-production, 2006)',
  source: ADAMS_AGESEN,
  second: derived(2_660_000_000, `${ADAMS_AGESEN}: the processor is a 2.66 GHz one`),
  exception: assumed(889, UNTOLD_PENTIUM_4),
  syscall: assumed(121, UNTOLD_PENTIUM_4),
  portAccess: assumed(3209, UNTOLD_PENTIUM_4),
  vmEntry: measured(937, `${ADAMS_AGESEN}, Table 1: VM entry`),
  vmExit: derived(1186, `${ADAMS_AGESEN}, Table 1: page-fault VM exit, taken for the others too`),
  exceptionExit: measured(1186, `${ADAMS_AGESEN}, Table 1: page-fault VM exit`),
  vmread: measured(52, `${ADAMS_AGESEN}, Table 1: VMCB read`),
  vmwrite: measured(44, `${ADAMS_AGESEN}, Table 1: VMCB write`),
};

/** The series of round trips gives sums only; how a sum divides is taken from the Core 2 figures (937 : 1186). */
const split = (sum: number, part: number, name: string): Cost =>
  derived(
    Math.round((sum * part) / 2123),
    `${AGESEN_2012}: ${name} round trip ${sum}, divided as Core 2 divides it (${ADAMS_AGESEN}, Table 1)`,
  );

/** A processor of the series, by the round trip that the paper gives for it. */
const later = (id: string, title: string, name: string, roundTrip: number): CostModel => ({
  ...UNTOLD_LATER,
  id,
  title,
  source: AGESEN_2012,
  second: assumed(2_660_000_000, 'the clock of the Core 2; the paper gives none for this processor'),
  exception: assumed(500, 'no figure in the sources; below the Pentium 4 figure of 889'),
  syscall: assumed(75, 'no figure in the sources; below the Pentium 4 figure of 121'),
  portAccess: assumed(1500, 'no figure in the sources; below the Pentium 4 figure of 3209'),
  vmEntry: split(roundTrip, 937, name),
  vmExit: split(roundTrip, 1186, name),
  exceptionExit: split(roundTrip, 1186, name),
  vmread: assumed(30, 'no figure in the sources; below the Core 2 figure of 52'),
  vmwrite: assumed(30, 'no figure in the sources; below the Core 2 figure of 44'),
});

export const MEROM_COSTS = later('merom-2006', 'Core 2 (Merom, 2006)', 'Merom', 1579);
export const PENRYN_COSTS = later('penryn-2008', 'Core 2 (Penryn, 2008)', 'Penryn', 1266);
export const NEHALEM_COSTS = later('nehalem-2009', 'Nehalem (2009)', 'Nehalem', 1009);
export const WESTMERE_COSTS = later('westmere-2010', 'Westmere (2010)', 'Westmere', 761);
export const SANDY_BRIDGE_COSTS = later('sandy-bridge-2011', 'Sandy Bridge (2011)', 'Sandy Bridge', 784);

export const COST_MODELS: readonly CostModel[] = [
  PRESCOTT_COSTS,
  CORE_2_COSTS,
  MEROM_COSTS,
  PENRYN_COSTS,
  NEHALEM_COSTS,
  WESTMERE_COSTS,
  SANDY_BRIDGE_COSTS,
];

export function costModelById(id: string): CostModel | undefined {
  return COST_MODELS.find(model => model.id === id);
}
