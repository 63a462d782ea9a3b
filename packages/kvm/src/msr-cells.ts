// Cells that live in model-specific registers: which MSR holds which (SDM vol. 4, "Architectural MSRs").

import type {Cell} from '@hyperscope/isa';

export const MSR_CELLS: readonly (readonly [cell: Cell, index: number])[] = [
  ['STAR', 0xc000_0081],
  ['LSTAR', 0xc000_0082],
  ['CSTAR', 0xc000_0083],
  ['FMASK', 0xc000_0084],
  ['KERNEL_GS_BASE', 0xc000_0102],
  ['TSC_AUX', 0xc000_0103],
  ['SYSENTER_CS', 0x174],
  ['SYSENTER_ESP', 0x175],
  ['SYSENTER_EIP', 0x176],
  ['PAT', 0x277],
  ['DEBUGCTL', 0x1d9],
  ['FEATURE_CONTROL', 0x3a],
  ['MISC_ENABLE', 0x1a0],
];
