// Beside each line what it was assembled to: its address and its bytes. Between two assemblies the bytes move with their lines.

import {hexBytes} from '@hyperscope/base';
import {RangeSet, StateEffect, StateField, type Extension, type Text} from '@codemirror/state';
import {GutterMarker, gutter} from '@codemirror/view';
import type {AssembledText} from '../lab-client.js';

type Lines = AssembledText['lines'];

/** As many bytes as the gutter has room for. */
const SHOWN = 5;

/** Says what the lines of the text were assembled to. */
export const showBytes = StateEffect.define<Lines>();

class BytesMarker extends GutterMarker {
  readonly address: string;
  readonly bytes: string;
  readonly all: string;
  constructor(address: string, bytes: string, all: string) {
    super();
    this.address = address;
    this.bytes = bytes;
    this.all = all;
  }
  override eq(other: BytesMarker): boolean {
    return other.address === this.address && other.all === this.all;
  }
  override toDOM(): Node {
    const box = document.createElement('span');
    box.title = this.all;
    const address = document.createElement('span');
    address.className = 'cm-address';
    address.textContent = this.address;
    box.append(address, this.bytes);
    return box;
  }
}

function markerOf({address, bytes, length}: Lines[number]): BytesMarker {
  const where = address.toString(16);
  const more = length > SHOWN ? '…' : '';
  const rest = length > bytes.length ? ` … (${length} bytes)` : ` (${length} byte${length === 1 ? '' : 's'})`;
  return new BytesMarker(where, `${hexBytes(bytes.slice(0, SHOWN))}${more}`, `${where}: ${hexBytes(bytes)}${rest}`);
}

function markers(lines: Lines, text: Text): RangeSet<GutterMarker> {
  const inText = lines.filter(({line}) => line <= text.lines);
  return RangeSet.of(
    inText.map(line => markerOf(line).range(text.line(line.line).from)),
    true,
  );
}

const assembledBytes = StateField.define<RangeSet<GutterMarker>>({
  create: () => RangeSet.empty,
  update(shown, change) {
    const lines = change.effects.find(effect => effect.is(showBytes));
    return lines?.is(showBytes) === true ? markers(lines.value, change.state.doc) : shown.map(change.changes);
  },
});

export const bytesGutter: Extension = [
  assembledBytes,
  gutter({
    class: 'cm-bytes',
    markers: view => view.state.field(assembledBytes),
    initialSpacer: () => new BytesMarker('8000', '00 00 00 00 00…', ''),
  }),
];
