// Where the processor is: root and non-root operation with four rings each, one token, and the arrow that moved it.
// The 2 × 4 grid underneath says the same in words; it is what a screen reader reads and what the last row can see.

import {LitElement, html, nothing, svg, type SVGTemplateResult, type TemplateResult} from 'lit';
import {customElement, property} from 'lit/decorators.js';
import type {Actor} from '@hyperscope/trace';
import {actorGlyph, actorLook, actorName} from './actors.js';
import {addressStyles, addressValue} from './address.js';
import type {StageHost} from './actors.js';
import {
  ALONE,
  GUEST,
  HOST,
  RING_RADII,
  VIEW,
  crown,
  curve,
  moveName,
  standOf,
  type Point,
} from './ring-stage-geometry.js';
import {ringStageStyles} from './ring-stage-styles.js';
import {byContent} from './same-content.js';
import {sharedStyles} from './shared-styles.js';
import {placeName, type Leg, type LegState, type Place, type StagePicture} from './stage-picture.js';

const RINGS = [3, 2, 1, 0] as const;

interface Diagram {
  readonly centre: Point;
  readonly title: string;
  /** Who lives in ring 0 and in ring 3. */
  readonly kernel: Actor;
  readonly user: Actor;
  readonly operations: readonly Place['operation'][];
  /** Who lives in ring 3, where that is not the user alone. */
  readonly ring3?: string;
}

const HOST_DIAGRAM: Diagram = {
  centre: HOST,
  title: 'root operation · host',
  kernel: 'hypervisor',
  user: 'vmm',
  operations: ['root', 'none'],
};
const GUEST_DIAGRAM: Diagram = {
  centre: GUEST,
  title: 'non-root operation · guest',
  kernel: 'guest-kernel',
  user: 'guest-user',
  operations: ['non-root'],
};
const BARE_DIAGRAM: Diagram = {
  centre: ALONE,
  title: 'the processor · no hypervisor',
  kernel: 'guest-kernel',
  user: 'guest-user',
  operations: ['none'],
};

/** One set of rings: the VMM has ring 0 to itself, and the guest's kernel is where it has no rights. */
const DEPRIVILEGED_DIAGRAM: Diagram = {
  centre: ALONE,
  title: 'the processor · guest deprivileged',
  kernel: 'hypervisor',
  user: 'guest-user',
  operations: ['none'],
  ring3: 'guest',
};

const DIAGRAMS: Readonly<Record<StageHost, readonly Diagram[]>> = {
  none: [BARE_DIAGRAM],
  software: [DEPRIVILEGED_DIAGRAM],
  hardware: [HOST_DIAGRAM, GUEST_DIAGRAM],
};

/** What SVM calls the two. */
const SVM_TITLES: Readonly<Record<string, string>> = {
  [HOST_DIAGRAM.title]: 'host',
  [GUEST_DIAGRAM.title]: 'guest mode · guest',
};

const LEG_NAMES: Readonly<Record<Leg, string>> = {
  'vm-exit': 'VM exit',
  'to-user-space': 'KVM_RUN returns',
  'to-kernel': 'ioctl(KVM_RUN)',
  'vm-entry': 'VM entry',
};
const SVM_LEG_NAMES: Readonly<Record<Leg, string>> = {...LEG_NAMES, 'vm-exit': '#VMEXIT', 'vm-entry': 'VMRUN'};
const LEG_ACTORS: Readonly<Record<Leg, Actor>> = {
  'vm-exit': 'hypervisor',
  'to-user-space': 'vmm',
  'to-kernel': 'vmm',
  'vm-entry': 'guest-kernel',
};

/** A sentence that says all that the picture shows. */
export function stageSentence(picture: StagePicture): string {
  const world = picture.world === '' ? '' : ` (${picture.world})`;
  const where = `The ${actorName(picture.who, picture.host)} runs in ${placeName(picture.here, picture.unit)}${world}, ${picture.mode} mode.`;
  const moved = picture.transition;
  if (moved === undefined) return where;
  const cost = moved.cycles === undefined ? '' : `, ${moved.cycles} cycles`;
  return `${moved.name}${moved.reason === '' ? '' : ` (${moved.reason})`}${cost}: from ${placeName(moved.from, picture.unit)} to ${placeName(moved.to, picture.unit)}. ${where}`;
}

@customElement('hs-ring-stage')
export class RingStage extends LitElement {
  static override readonly styles = [sharedStyles, addressStyles, ringStageStyles];

  @property(byContent) picture: StagePicture | undefined = undefined;
  /** The processor whose figures the cycles are: 'Westmere (2010)'. They are a model's, never this machine's. */
  @property() model = '';
  /** For the last row of a lecture hall: every word is large, or left out where the table says it. */
  @property({type: Boolean, reflect: true}) hall = false;

  override render(): TemplateResult {
    const picture = this.picture;
    if (picture === undefined) return html`<p class="empty">The stage is empty: no run has started.</p>`;
    const diagrams = DIAGRAMS[picture.host];
    return html`<div class="picture ${picture.hypervised ? 'both' : 'alone'}">
      <div class="stage">
        <svg viewBox="0 0 ${VIEW.width} ${VIEW.height}" role="img" aria-label=${stageSentence(picture)}>
          <defs>${arrowHeads()}</defs>
          ${diagrams.map(diagram => drawDiagram(diagram, picture))} ${picture.hypervised ? drawRoute(picture) : nothing}
          ${drawMove(picture)} ${drawToken(picture)}
        </svg>
        ${card(picture, this.model)}
      </div>
      ${grid(picture)} ${strip(picture)}
    </div>`;
  }
}

function arrowHeads(): SVGTemplateResult[] {
  const tokens = ['--hypervisor', '--vmm', '--guest-kernel', '--guest-user', '--strong-line'];
  return tokens.map(
    token => svg`<marker id=${`head${token}`} viewBox="0 0 10 10" refX="7" refY="5"
    markerUnits="userSpaceOnUse" markerWidth=${token === '--strong-line' ? 11 : 18} markerHeight=${token === '--strong-line' ? 11 : 18} orient="auto">
    <path d="M0 0L10 5L0 10L2.5 5z" fill=${`var(${token})`}></path></marker>`,
  );
}

function diagramTitle(diagram: Diagram, picture: StagePicture): string {
  if (diagram === BARE_DIAGRAM && picture.world !== '') return `the processor · ${picture.world}`;
  const title = picture.unit === 'SVM' ? (SVM_TITLES[diagram.title] ?? diagram.title) : diagram.title;
  const off = picture.unit === 'SVM' ? ' · no guest yet' : ' · VMX off';
  return `${title}${diagram === HOST_DIAGRAM && picture.here.operation === 'none' ? off : ''}`;
}

function drawDiagram(diagram: Diagram, picture: StagePicture): SVGTemplateResult {
  const inside = diagram.operations.includes(picture.here.operation);
  const {x, y} = diagram.centre;
  const name = (ring: number): SVGTemplateResult => {
    const actor = ring === 0 ? diagram.kernel : ring === 3 ? diagram.user : undefined;
    const outer = RING_RADII[ring] ?? 0;
    if (actor === undefined) return svg`<text class="thin" x=${x} y=${y - outer + 18}>ring ${ring}</text>`;
    if (ring === 3)
      return svg`<text class="ring" x=${x} y=${y - outer + 24}>ring 3</text>
        <text class="role" x=${x} y=${y - outer + 44}>${diagram.ring3 ?? actorLook(actor).name}</text>`;
    return svg`<text class="ring" x=${x} y=${y - 52}>ring ${ring}</text>
      <text class="role" x=${x} y=${y - 30}>${actorName(actor, picture.host)}</text>`;
  };
  return svg`<g>
    <text class="side" x=${x} y=${y - 193}>${diagramTitle(diagram, picture)}</text>
    ${RINGS.map(ring => drawBand(diagram, ring, inside && picture.here.ring === ring))}
    ${RINGS.map(name)}
  </g>`;
}

function drawBand(diagram: Diagram, ring: number, here: boolean): SVGTemplateResult {
  const {x, y} = diagram.centre;
  const actor = ring === 0 ? diagram.kernel : ring === 3 ? diagram.user : undefined;
  const token = actor === undefined ? undefined : actorLook(actor).token;
  return svg`<circle class="band ${here ? 'role-here' : ''}" cx=${x} cy=${y} r=${RING_RADII[ring] ?? 0}
    fill=${token === undefined ? 'var(--panel)' : `var(${token}-tint)`}
    stroke=${token === undefined ? 'var(--line)' : `var(${token})`}></circle>`;
}

interface Path {
  readonly from: Point;
  readonly to: Point;
  readonly bow: number;
}

function legPath(leg: Leg, guestRing: number): Path {
  const kernel = standOf({operation: 'root', ring: 0}, true);
  const user = standOf({operation: 'root', ring: 3}, true);
  const guest = standOf({operation: 'non-root', ring: guestRing}, true);
  switch (leg) {
    // High and low enough to leave the middle to the card.
    case 'vm-exit':
      return {from: guest, to: kernel, bow: guestRing === 0 ? 300 : 400};
    case 'vm-entry':
      return {from: kernel, to: guest, bow: guestRing === 0 ? 200 : 100};
    case 'to-user-space':
      return {from: kernel, to: user, bow: 44};
    case 'to-kernel':
      return {from: user, to: kernel, bow: 44};
  }
}

function drawRoute(picture: StagePicture): SVGTemplateResult {
  const moved = picture.transition;
  const guestEnd = [moved?.from, moved?.to].find(place => place?.operation === 'non-root');
  const guestRing = guestEnd?.ring ?? 0;
  const draw = (leg: Leg, state: LegState): SVGTemplateResult => {
    const path = legPath(leg, guestRing);
    const token = state === 'idle' ? '--strong-line' : actorLook(LEG_ACTORS[leg]).token;
    const top = crown(path.from, path.to, path.bow);
    // The short legs inside the host are named where the moves inside one diagram are.
    const at =
      leg === 'vm-exit' || leg === 'vm-entry'
        ? {x: top.x, y: top.y + (leg === 'vm-exit' ? -12 : 22)}
        : moveName({operation: 'root', ring: 0}, true);
    const shown = state === 'now' || leg === 'vm-exit' || leg === 'vm-entry';
    return svg`<path class="leg ${state}" d=${curve(path.from, path.to, path.bow)} stroke=${`var(${token})`}
        marker-end=${`url(#head${token})`}></path>
      ${shown ? svg`<text class="leg-name ${state}" x=${at.x} y=${at.y}>${(picture.unit === 'SVM' ? SVM_LEG_NAMES : LEG_NAMES)[leg]}</text>` : nothing}`;
  };
  const order: readonly LegState[] = ['idle', 'done', 'now'];
  const legs = Object.entries(picture.legs).flatMap(([name, state]) => (isLeg(name) ? [{name, state}] : []));
  legs.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  return svg`<g>${legs.map(leg => draw(leg.name, leg.state))}</g>`;
}

function isLeg(name: string): name is Leg {
  return name in LEG_NAMES;
}

/** The arrow of a move inside one diagram: SYSCALL, IRET, the delivery of an exception. */
function drawMove(picture: StagePicture): SVGTemplateResult | typeof nothing {
  const moved = picture.transition;
  const onRoute = Object.values(picture.legs).includes('now');
  if (moved === undefined || onRoute || (picture.hypervised && moved.from.operation !== moved.to.operation))
    return nothing;
  const token = actorLook(moved.who).token;
  const path = curve(standOf(moved.from, picture.hypervised), standOf(moved.to, picture.hypervised), 40);
  const at = moveName(moved.to, picture.hypervised);
  return svg`<path class="leg now" d=${path} stroke=${`var(${token})`} marker-end=${`url(#head${token})`}></path>
    ${arrowName(moved.arrow, at)}`;
}

/** Beside the left edge a long name has two lines: the edge would cut one off. */
function arrowName(name: string, {x, y}: Point): SVGTemplateResult {
  const isTight = x < VIEW.width / 3 && name.length > 26;
  const cut = isTight ? name.indexOf('(') + 1 || name.lastIndexOf('_', name.length / 2) + 1 : 0;
  if (cut === 0) return svg`<text class="leg-name now" x=${x} y=${y}>${name}</text>`;
  // Right of the token, which stands at the lower left.
  const middle = x + 50;
  return svg`<text class="leg-name now" y=${y}><tspan x=${middle}>${name.slice(0, cut)}</tspan><tspan x=${middle} dy="1.1em">${name.slice(cut)}</tspan></text>`;
}

function drawToken(picture: StagePicture): SVGTemplateResult {
  const at = standOf(picture.here, picture.hypervised);
  const token = actorLook(picture.who).token;
  const was = picture.transition?.from;
  const ghost = was === undefined ? undefined : standOf(was, picture.hypervised);
  return svg`
    ${ghost === undefined ? nothing : svg`<circle class="ghost" cx=${ghost.x} cy=${ghost.y} r="7" fill="var(--ink)"></circle>`}
    <g class="token" .style=${`transform: translate(${at.x}px, ${at.y}px)`}>
      <circle class="halo" r="19" stroke=${`var(${token})`}></circle>
      <circle r="14" fill="var(--panel)"></circle>
      <g transform="translate(-13 -13) scale(1.625)">${actorGlyph(picture.who)}</g>
    </g>`;
}

/** A name that breaks before its argument, or between its words, rather than inside one: `ioctl(` `KVM_CREATE_` `VM)`. */
function breakable(name: string): readonly (string | TemplateResult)[] {
  return name.split(/(?<=[(_])/).map((part, at) => (at === 0 ? part : html`<wbr />${part}`));
}

/** `VM exit · 28 control-register access`: what stands at the arrow too is left out in a hall. */
function cardName(name: string): TemplateResult {
  const [kind = '', ...rest] = name.split(' · ');
  if (rest.length === 0) return html`${breakable(name)}`;
  return html`<span class="kind">${breakable(kind)} · </span>${breakable(rest.join(' · '))}`;
}

function card(picture: StagePicture, model: string): TemplateResult {
  const moved = picture.transition;
  if (moved === undefined) {
    return html`<div class="card quiet" aria-hidden="true">
      ${actorName(picture.who, picture.host)} runs in ring ${picture.here.ring}
    </div>`;
  }
  return html`<div class="card" aria-hidden="true" .style=${`border-color: var(${actorLook(moved.who).token})`}>
    <b>${cardName(moved.name)}</b> ${moved.reason === '' ? nothing : html`<span class="reason">${moved.reason}</span>`}
    ${moved.cycles === undefined ? nothing : html`<span class="cost">${moved.cycles.toLocaleString('en')} ${moved.cycles === 1 ? 'cycle' : 'cycles'}${model === '' ? nothing : html`, <span class="model">by the model<span class="whose"> ${model}</span></span>`}</span>`}
  </div>`;
}

function grid(picture: StagePicture): TemplateResult {
  const rows: readonly {
    readonly name: string;
    readonly side?: string;
    readonly operations: readonly Place['operation'][];
  }[] = picture.hypervised
    ? [
        {...(picture.unit === 'SVM' ? {name: 'host'} : {name: 'root', side: 'host'}), operations: ['root', 'none']},
        {
          ...(picture.unit === 'SVM' ? {name: 'guest mode'} : {name: 'non-root', side: 'guest'}),
          operations: ['non-root'],
        },
      ]
    : [{name: picture.host === 'none' ? 'bare metal' : 'one set of rings', operations: ['none']}];
  const look = actorLook(picture.who);
  const here = html`<svg viewBox="0 0 16 16" aria-hidden="true">${actorGlyph(picture.who)}</svg
    >${actorName(picture.who, picture.host)}`;
  const vars = `--here: var(${look.token}); --here-tint: var(${look.token}-tint); --here-ink: var(${look.token}-ink)`;
  return html`<table .style=${vars}>
    <caption class="visually-hidden">
      ${stageSentence(picture)}
    </caption>
    <thead>
      <tr>
        <td class="corner"></td>
        ${[0, 1, 2, 3].map(ring => html`<th scope="col">ring ${ring}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        row =>
          html`<tr>
            <th scope="row">
              ${row.name}${row.side === undefined ? nothing : html`<span class="whose-side"> · ${row.side}</span>`}
            </th>
            ${[0, 1, 2, 3].map(ring =>
              row.operations.includes(picture.here.operation) && picture.here.ring === ring
                ? html`<td class="here" aria-current="true">${here}</td>`
                : html`<td><span aria-hidden="true">·</span></td>`,
            )}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function strip(picture: StagePicture): TemplateResult | typeof nothing {
  if (picture.strip.length === 0) return nothing;
  return html`<dl class="strip">
    ${picture.strip.map(
      item =>
        html`<div>
          <dt>${item.label}</dt>
          <dd>${item.at === undefined ? item.value : addressValue(item.at.space, item.at.address, item.value)}</dd>
        </div>`,
    )}
  </dl>`;
}
