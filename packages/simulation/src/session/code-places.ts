// Where code lies in guest-physical memory: the assembler's map says where the bytes of a line were loaded, and a guest
// may show them to itself at any address, through segments and page tables.

import {codeAddress} from '@hyperscope/trace';
import type {SourceInstruction, SourceMap} from './source-map.js';
import type {StateView} from './state-view.js';

const PAGE = 4096n;

export class CodePlaces {
  readonly #state: StateView;
  readonly #pages = new Map<bigint, bigint | undefined>();

  /** Places at the state's moment. */
  constructor(state: StateView) {
    this.#state = state;
  }

  /** The guest-physical address of code at an offset into CS; undefined where nothing is mapped. */
  physical(address: bigint): bigint | undefined {
    const cells = this.#state.guestCells();
    const linear = codeAddress(cells, address);
    const page = linear / PAGE;
    if (!this.#pages.has(page)) {
      const gpa = this.#state.guestMemory.translate(cells, page * PAGE);
      this.#pages.set(page, gpa === undefined ? undefined : BigInt(gpa));
    }
    const start = this.#pages.get(page);
    return start === undefined ? undefined : start + (linear % PAGE);
  }

  /** What the source says of the instruction at `address`. */
  sourceAt(source: SourceMap | undefined, address: bigint): SourceInstruction | undefined {
    const place = source === undefined ? undefined : this.physical(address);
    return place === undefined ? undefined : source?.at(place);
  }

  /** Starts of up to `count` instructions of the source before `address`, nearest last; none of a page that lies elsewhere. */
  before(source: SourceMap | undefined, address: bigint, count: number): readonly bigint[] {
    const place = source === undefined ? undefined : this.physical(address);
    if (place === undefined || source === undefined) return [];
    const starts = source.before(place, count).map(start => ({start, address: address - (place - start)}));
    return starts.filter(each => this.physical(each.address) === each.start).map(each => each.address);
  }
}
