// What the screen calls the spaces that a session can read.

import type {MemorySpace} from '@hyperscope/trace';
import type {AddressSpace} from '../follow.js';

export const SPACE_NAMES = {
  gva: 'GVA',
  gpa: 'GPA',
  hva: 'HVA',
  hpa: 'HPA',
} as const satisfies Record<MemorySpace, AddressSpace>;

/** In the order of an address's way to memory. */
export const SPACES: readonly MemorySpace[] = ['gva', 'gpa', 'hva', 'hpa'];
