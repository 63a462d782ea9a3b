// A walk as a page to be printed: each stop with its sentence, the rings, the check that decided, the code and what changed; the
// questions, and on a page of their own the answers. One file without scripts, which needs no network.

import {hex} from '@hyperscope/base';
import {html, nothing, render, type TemplateResult} from 'lit';
import {inline, markdown} from '../scenario/markdown-view.js';
import {HANDOUT_STYLE} from './handout-style.js';
import type {AskedQuestion, Walk, WalkStop} from './walk.js';

/** A question and the number under which its answer is found. */
interface Numbered {
  readonly number: number;
  readonly question: AskedQuestion;
}

/** `rings`: the drawing of each stop, as SVG. The page as a file. */
export function handoutPage(walk: Walk, rings: readonly string[]): string {
  const body = document.createElement('div');
  render(content(walk, rings), body);
  withoutComments(body);
  const title = document.createElement('i');
  title.textContent = walk.title;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title.innerHTML}</title>
<style>${HANDOUT_STYLE}</style>
</head>
<body>
${body.innerHTML}
</body>
</html>
`;
}

/** What Lit keeps in a page to find its places again. */
function withoutComments(root: HTMLElement): void {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_COMMENT);
  const comments: Node[] = [];
  while (walker.nextNode()) comments.push(walker.currentNode);
  for (const comment of comments) comment.parentNode?.removeChild(comment);
}

function content(walk: Walk, rings: readonly string[]): TemplateResult {
  const predictions = walk.stops.flatMap(stop => stop.asked);
  const all = [...predictions, ...walk.questions].map((question, at): Numbered => ({number: at + 1, question}));
  const asked = all.slice(predictions.length);
  return html`<header>
      <h1>${walk.title}</h1>
      ${walk.teaches === '' ? nothing : html`<p class="teaches">Afterwards you know: ${walk.teaches}</p>`}
      <p class="about">${about(walk)}</p>
      <p class="screen">
        Print this page with your browser (Ctrl-P, ⌘P). The answers begin a page of their own: leave it out for an
        exercise.
      </p>
    </header>
    <main>
      ${walk.introduction === '' ? nothing : markdown(walk.introduction)}
      ${walk.stops.map((stop, at) =>
        stopSection(
          stop,
          at,
          rings[at] ?? '',
          all.filter(each => stop.asked.includes(each.question)),
        ),
      )}
      ${
        asked.length === 0
          ? nothing
          : html`<section class="questions">
              <h2>Questions</h2>
              ${asked.map(each => question(each))}
            </section>`
      }
      ${
        all.length === 0
          ? nothing
          : html`<section class="answers">
              <h2>Answers</h2>
              ${all.map(answer)}
            </section>`
      }
      ${sources(walk)}
    </main>`;
}

function about({guest, stops, link}: Walk): TemplateResult {
  const machines = [...new Set(stops.map(({machine}) => machine))];
  return html`Guest: ${guest}. ${machines.length > 1 ? 'Machines' : 'Machine'}: ${machines.join('; ')}. Every state,
    sentence and figure below was computed by running the guest. In the lab: <span class="link">${link}</span>`;
}

function stopSection(stop: WalkStop, at: number, rings: string, asked: readonly Numbered[]): TemplateResult {
  const {moment, machine} = stop;
  return html`<section class="stop">
    <h2>${at + 1}. ${inline(stop.title)}</h2>
    <p class="where">${machine} · step ${moment.index} · ${moment.mode} mode, CPL ${moment.cpl}</p>
    ${asked.map(question)}
    <div class="shown">
      <figure>
        ${svgNode(rings)}
        <figcaption>${moved(stop)}</figcaption>
      </figure>
      <div class="told">
        ${stop.text === '' ? nothing : markdown(stop.text)} ${why(stop)}
        ${
          stop.breakIt.length === 0
            ? nothing
            : html`<p class="try">
                To try in the lab:
                ${stop.breakIt.map((title, each) => html`${each === 0 ? '' : '; '}${inline(title)}`)}.
              </p>`
        }
      </div>
    </div>
    ${changes(stop)}
    ${stop.printed === '' ? nothing : html`<p class="printed">The guest printed: <code>${stop.printed}</code></p>`}
  </section>`;
}

/** The arrow of the picture, in words. */
function moved({picture, model}: WalkStop): string {
  const {transition} = picture;
  if (transition === undefined) return '';
  const {name, reason, cycles} = transition;
  const whose = model === '' ? '' : ` by the model ${model}`;
  const cost =
    cycles === undefined ? '' : `, ${cycles.toLocaleString('en')} ${cycles === 1 ? 'cycle' : 'cycles'}${whose}`;
  return `${name}${reason === '' ? '' : ` (${reason})`}${cost}`;
}

/** What the machine says of the step: its first sentence, the check that decided, and the code. */
function why({moment}: WalkStop): TemplateResult {
  const {title, sentences, checks, otherwise} = moment.why;
  const decided = checks.find(check => check.decided);
  return html`<div class="why">
    <h3>${title}</h3>
    <p>${sentences[0] ?? ''}</p>
    ${
      decided === undefined
        ? nothing
        : html`<p class="decided">
            <b>${decided.holds ? '✓' : '✗'} ${decided.text}</b>
            ${decided.source === '' ? nothing : html`<cite>${decided.source}</cite>`}
          </p>`
    }
    ${otherwise === undefined ? nothing : html`<p class="otherwise">Otherwise: ${otherwise}</p>`}
  </div>`;
}

function changes({changes: list}: WalkStop): TemplateResult | typeof nothing {
  if (list.length === 0) return nothing;
  return html`<section class="changes">
    <h3>Registers that changed since the step before</h3>
    <ul>
      ${list.map(({name, before, after}) => html`<li><b>${name}</b> <code>${hex(before)} → ${hex(after)}</code></li>`)}
    </ul>
  </section>`;
}

const letter = (choice: number): string => String.fromCharCode(65 + choice);

function question({number, question: {text, choices}}: Numbered): TemplateResult {
  return html`<section class="ask">
    <h3>Question ${number}</h3>
    ${markdown(text)}
    <ol>
      ${choices.map(choice => html`<li>${inline(choice)}</li>`)}
    </ol>
  </section>`;
}

function answer({number, question: {choices, answer: right, because}}: Numbered): TemplateResult {
  return html`<section class="answer">
    <h3>${number}${right === undefined ? nothing : html`: ${letter(right)}, ${inline(choices[right] ?? '')}`}</h3>
    ${markdown(because)}
  </section>`;
}

function sources({sources: list, costs}: Walk): TemplateResult {
  return html`<section class="sources">
    <h2>Sources</h2>
    <ul>
      ${list.map(source => html`<li>${source}</li>`)}
      ${costs.map(({title, source}) => html`<li>Cycles are those of a model, ${title}: ${source}</li>`)}
    </ul>
  </section>`;
}

/** A drawing as a node of the page: Lit would write it as text. */
function svgNode(svg: string): Node | typeof nothing {
  if (svg === '') return nothing;
  return document.importNode(new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement, true);
}
