// The translation cache of binary translation: how full it is and which of its code is hot, and of one block the guest's instructions beside
// what runs in their place.

import {LitElement, css, html, nothing, svg, type SVGTemplateResult, type TemplateResult} from 'lit';
import {customElement, property, state} from 'lit/decorators.js';
import {hex} from '@hyperscope/base';
import type {InspectionContents} from '@hyperscope/trace';
import {sharedStyles} from '../shared-styles.js';
import {panelStyles} from './panel-styles.js';

type Content = InspectionContents['translation'];
type Fragment = Content['fragments'][number];
type Row = NonNullable<Content['block']>['instructions'][number];
type CacheRow = Row['cache'][number];

/** The reader wants to see the block at this address of the cache. */
export class FragmentEvent extends CustomEvent<{readonly at: bigint}> {
  constructor(at: bigint) {
    super('hs-fragment', {detail: {at}, bubbles: true, composed: true});
  }
}

const WAYS: Readonly<Record<Row['translation'], string>> = {
  ident: 'copied',
  'in-cache': 'on the virtual CPU',
  callout: 'calls the VMM',
  control: 'a jump of the cache',
};
const HOTTEST = 8;
const MAP_WIDTH = 512;
const MAP_HEIGHT = 26;

@customElement('hs-translation-cache')
export class TranslationCacheView extends LitElement {
  static override readonly styles = [
    sharedStyles,
    panelStyles,
    css`
      :host {
        display: block;
        container-type: inline-size;
      }
      .map {
        display: block;
        width: 100%;
        height: 26px;
        border: 1px solid var(--strong-line);
        border-radius: 4px;
        background: var(--ground);
      }
      .map rect {
        fill: var(--guest-kernel);
      }
      .map rect.here {
        stroke: var(--ink);
        stroke-width: 3;
        vector-effect: non-scaling-stroke;
      }
      .block td {
        font: calc(var(--code) * 0.88)/1.45 var(--mono);
        padding: 2px 5px;
        overflow-wrap: anywhere;
      }
      .block td.source {
        background: var(--guest-kernel-tint);
        color: var(--guest-kernel-ink);
        width: 38%;
      }
      .block td.arrow {
        background: none;
        border-top: 0;
        padding: 2px 3px;
        width: 1.8em;
      }
      .block .arrow svg {
        display: block;
        width: 1.7em;
        height: 1.2em;
        overflow: visible;
      }
      .block .arrow path {
        fill: none;
        stroke: var(--mute);
        stroke-width: 1.6;
      }
      .block ol {
        list-style: none;
        margin: 0;
        padding: 0;
      }
      .block li {
        display: flex;
        gap: 6px;
        justify-content: space-between;
        padding-inline: 4px;
      }
      .block li .times {
        color: var(--mute);
        flex: none;
      }
      .block .callout,
      .block .miss,
      .block .stub {
        background: var(--hypervisor-tint);
        color: var(--hypervisor-ink);
      }
      .block .callout .times,
      .block .miss .times,
      .block .stub .times {
        color: inherit;
      }
      .block .isNext {
        outline: 2px solid var(--ink);
        outline-offset: -1px;
        font-weight: 700;
      }
      .block tr.why td {
        border-top: 0;
        background: none;
        color: var(--mute);
        font: 0.86em/1.4 var(--sans);
        padding-bottom: 5px;
      }
      th .words {
        font-weight: 400;
      }
      @container (max-width: 340px) {
        .block thead {
          display: none;
        }
        .block tr,
        .block td,
        .block td.source {
          display: block;
          width: auto;
          border-top: 0;
        }
        .block td.arrow {
          padding: 0 0 0 8px;
          transform: rotate(90deg);
          transform-origin: 14px 9px;
          height: 1.2em;
          width: 1.7em;
        }
      }
      button.lead {
        min-height: 24px;
        padding: 0 6px;
        font: inherit;
      }
      .hot button {
        min-height: 28px;
        padding: 2px 8px;
        font: calc(var(--code) * 0.88)/1.3 var(--mono);
      }
      .hot [aria-current='true'] {
        font-weight: 700;
        border-color: var(--ink);
      }
    `,
  ];

  @property({attribute: false}) content: Content | undefined = undefined;
  @state() private showsAll = false;

  override render(): TemplateResult {
    const {content} = this;
    if (content === undefined) return html`<p class="empty" role="status">Asking for the translation cache…</p>`;
    if (content.fragments.length === 0) return html`<p class="empty">${content.sentence}</p>`;
    return html`<p>${content.sentence}</p>
      ${this.map(content)} ${content.block === undefined ? nothing : this.block(content.block, content.fragments)}
      ${this.list(content)} ${counters(content)}`;
  }

  /** All of the cache from left to right; the darker, the oftener. The list below says the same in words. */
  private map({fragments, capacity, block}: Content): TemplateResult {
    const most = Math.max(1, ...fragments.map(({executions}) => executions));
    const used = Math.max(...fragments.map(({at, cacheBytes}) => Number(at & 0xffffn) + cacheBytes));
    // A cache that is nearly empty is shown up to where it is used, in powers of two.
    const shown = Math.min(capacity, 2 ** Math.ceil(Math.log2(Math.max(256, used))));
    const rects = fragments.map(({at, cacheBytes, executions}): SVGTemplateResult => {
      const x = (Number(at & 0xffffn) / shown) * MAP_WIDTH;
      const width = Math.max(1, (cacheBytes / shown) * MAP_WIDTH - 0.5);
      const heat = 0.15 + 0.85 * (Math.log1p(executions) / Math.log1p(most));
      const here = block?.at === at ? 'here' : '';
      return svg`<rect class=${here} x=${x} y="0" width=${width} height=${MAP_HEIGHT} opacity=${heat.toFixed(2)}></rect>`;
    });
    return html`<svg class="map" viewBox="0 0 ${MAP_WIDTH} ${MAP_HEIGHT}" preserveAspectRatio="none" aria-hidden="true">
        ${rects}
      </svg>
      <p class="words">
        The first ${shown / 1024} KiB of the cache: a stroke for each fragment, the stronger the oftener it ran.
      </p>`;
  }

  private block(block: NonNullable<Content['block']>, fragments: readonly Fragment[]): TemplateResult {
    return html`<h3>The block at ${hex(block.rip)}</h3>
      <p>
        ${block.sourceBytes === 1 ? '1 byte' : `${block.sourceBytes} bytes`} of the guest’s kernel; in the cache, at
        ${hex(block.at)}, ${block.cacheBytes}. It ran ${times(block.executions)}.
      </p>
      <div class="scroll" tabindex="0" role="region" aria-label="The guest’s code and its translation">
        <table class="block">
          <caption class="visually-hidden">
            Instructions of the guest, and those of the cache that run in their place
          </caption>
          <thead>
            <tr>
              <th scope="col">the guest wrote</th>
              <td class="arrow"></td>
              <th scope="col">the processor runs</th>
            </tr>
          </thead>
          <tbody>
            ${block.instructions.map(each => this.row(each, fragments))}
          </tbody>
        </table>
      </div>`;
  }

  private row(row: Row, fragments: readonly Fragment[]): TemplateResult {
    return html`<tr>
        <td class="source">${hex(row.rip)} ${row.text}</td>
        <td class="arrow">${ARROW}<span class="visually-hidden">becomes</span></td>
        <td class="made">
          <ol>
            ${row.cache.map(each => this.cacheRow(each, fragments))}
          </ol>
        </td>
      </tr>
      ${
        row.translation === 'ident'
          ? nothing
          : html`<tr class="why">
              <td colspan="3"><span class="tag">${WAYS[row.translation]}</span> ${row.why}</td>
            </tr>`
      }`;
  }

  private cacheRow(
    {text, what, leadsTo, executions, isNext}: CacheRow,
    fragments: readonly Fragment[],
  ): TemplateResult {
    const target = leadsTo === undefined ? undefined : fragments.find(({rip}) => rip === leadsTo);
    return html`<li class="${what} ${isNext ? 'isNext' : ''}">
      <span>
        ${isNext ? html`<span class="visually-hidden">next: </span>` : nothing}${text}
        ${
          leadsTo === undefined
            ? nothing
            : target === undefined
              ? html`→ ${hex(leadsTo)}, not translated yet`
              : html`→
                  <button class="lead" @click=${() => this.dispatchEvent(new FragmentEvent(target.at))}>
                    ${hex(leadsTo)}
                  </button>`
        }
      </span>
      <span class="times">${executions}×</span>
    </li>`;
  }

  private list({fragments, block}: Content): TemplateResult {
    const sorted = fragments.toSorted((one, other) => other.executions - one.executions);
    const shown = this.showsAll ? sorted : sorted.slice(0, HOTTEST);
    return html`<h3>${this.showsAll ? 'All fragments' : 'The hottest fragments'}</h3>
      <div class="tools hot">
        ${shown.map(
          ({rip, at, executions}) =>
            html`<button
              aria-current=${block?.at === at ? 'true' : 'false'}
              title="At ${hex(at)} in the cache"
              @click=${() => this.dispatchEvent(new FragmentEvent(at))}
            >
              ${hex(rip)} · ${executions}×
            </button>`,
        )}
        ${
          sorted.length <= HOTTEST
            ? nothing
            : html`<button
                class="small"
                aria-expanded=${this.showsAll}
                @click=${() => (this.showsAll = !this.showsAll)}
              >
                ${this.showsAll ? 'only the hottest' : `all ${sorted.length}`}
              </button>`
        }
      </div>`;
  }
}

const ARROW = html`<svg viewBox="0 0 24 16" aria-hidden="true">
  <path d="M1 8 H21 M15 3 L21 8 L15 13"></path>
</svg>`;

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

function counters({counters: counts, emptied}: Content): TemplateResult {
  return html`<h3>So far</h3>
    <table>
      <caption class="visually-hidden">
        What the translator did
      </caption>
      <tbody>
        ${counts.map(
          ({name, value, meaning}) =>
            html`<tr>
              <th scope="row">
                ${name}
                <div class="words">${meaning}</div>
              </th>
              <td class="number">${value}</td>
            </tr>`,
        )}
        <tr>
          <th scope="row">
            times emptied
            <div class="words">because the cache was full</div>
          </th>
          <td class="number">${emptied}</td>
        </tr>
      </tbody>
    </table>`;
}
