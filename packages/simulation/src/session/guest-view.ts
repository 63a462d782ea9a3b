// The guest's registers at a moment of a record, for comparisons of techniques: not the hypervisor's, which the processor holds
// for it under shadow paging, in virtual-8086 mode in the place of real mode, or in the rings of trap-and-emulate.

import type {CellSource, Playhead} from '@hyperscope/trace';
import {StateView} from './state-view.js';

const BANKS = ['registers', 'memory'] as const;

/** To be asked again after each move of the playhead. */
export function guestCellsAt(playhead: Playhead): CellSource {
  const {header} = playhead.record;
  // Where nobody holds them for the guest there is nothing to look up, and this is asked at every step of a comparison.
  if (header.engine === 'kvm' || header.technique === 'bare') return cell => playhead.cell(cell);
  const banks = BANKS.flatMap(name => {
    const bytes = playhead.bank(name);
    return bytes === undefined ? [] : [{name, bytes}];
  });
  return new StateView(header, banks).guestCells();
}
