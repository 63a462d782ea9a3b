// Where the two classifications differ and neither is wrong: each with its reason. A test fails for any other difference, and
// for a line here that is no longer needed.

import type {Property} from './classify-by-execution.js';
import type {ClassifiedMode} from './state-layout.js';

export interface ClassificationException {
  readonly names: readonly string[];
  readonly modes: readonly ClassifiedMode[];
  readonly property: Property;
  /** What the recorded meaning says; the runs say the opposite. */
  readonly recorded: boolean;
  readonly reason: string;
}

export const CLASSIFICATION_EXCEPTIONS: readonly ClassificationException[] = [
  {
    names: ['INVD', 'WBINVD'],
    modes: [32, 64],
    property: 'controlSensitive',
    recorded: true,
    reason:
      'They act on the caches, which belong to the system. The simulated processor has none, so no run can show it.',
  },
  {
    names: ['VMLAUNCH', 'VMRESUME'],
    modes: [32, 64],
    property: 'locationSensitive',
    recorded: true,
    reason:
      'What runs next is decided by the VMCS. The VMCSs of the samples are empty, so the VM entry fails in each pair in the same way.',
  },
  {
    names: ['IRET', 'IRETD', 'IRETQ'],
    modes: [64],
    property: 'modeSensitive',
    recorded: true,
    reason:
      'Outside 64-bit mode IRET pops SS:ESP only on a return to an outer ring, so where ESP is afterwards depends on CPL. The recorded meaning is one for all modes; 64-bit mode pops RSP always.',
  },
];

/** The reason why a difference is known; undefined where it is not. */
export function knownDifference(
  name: string,
  mode: ClassifiedMode,
  property: Property,
): ClassificationException | undefined {
  return CLASSIFICATION_EXCEPTIONS.find(
    each => each.property === property && each.modes.includes(mode) && each.names.includes(name),
  );
}
