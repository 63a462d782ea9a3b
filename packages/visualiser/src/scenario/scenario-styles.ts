// The look of a scenario beside the lab.

import {css} from 'lit';

export const scenarioStyles = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 0;
    height: 100%;
  }
  header {
    display: flex;
    align-items: baseline;
    gap: 8px;
    margin-bottom: 6px;
  }
  header .of {
    flex: 1;
    font-size: 0.86em;
    color: var(--mute);
  }
  .body {
    flex: 1 1 auto;
    min-height: 0;
    overflow: auto;
    display: grid;
    gap: 10px;
    align-content: start;
  }
  h2 {
    margin: 0;
    font-size: 1.25em;
    line-height: 1.25;
    letter-spacing: 0;
    text-transform: none;
    color: var(--ink);
  }
  .ask {
    border: 2px solid var(--accent);
    border-radius: 10px;
    padding: 10px 12px;
    display: grid;
    gap: 8px;
  }
  .set {
    display: grid;
    gap: 10px;
    border-top: 1px solid var(--line);
    padding-top: 8px;
  }
  .sets,
  .sets label {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    align-items: center;
  }
  .sets input {
    width: 6em;
    font: inherit;
    color: inherit;
    background: var(--panel);
    border: 1px solid var(--strong-line);
    border-radius: 8px;
    padding: 3px 8px;
  }
  .about {
    margin: 0;
    color: var(--mute);
  }
  .about progress {
    display: block;
    width: 100%;
    margin-top: 6px;
    accent-color: var(--accent);
  }
  .set > h3,
  .ask h3,
  .break h3 {
    margin: 0;
  }
  .body,
  .set,
  .ask,
  .broken {
    grid-template-columns: minmax(0, 1fr);
  }
  .choices {
    display: grid;
    gap: 6px;
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .choices button {
    width: 100%;
    text-align: start;
    display: flex;
    gap: 8px;
  }
  .choices button:disabled {
    color: var(--ink);
  }
  .choices .right {
    border: 2px solid var(--good);
    font-weight: 650;
  }
  .choices .wrong {
    border: 2px solid var(--bad);
  }
  .verdict {
    margin: 0;
    font-weight: 700;
  }
  .break {
    border-top: 1px solid var(--line);
    padding-top: 8px;
    display: grid;
    gap: 6px;
  }
  .break button {
    text-align: start;
    border-color: var(--hypervisor);
  }
  .broken {
    border: 2px solid var(--hypervisor);
    border-radius: 10px;
    padding: 10px 12px;
    display: grid;
    gap: 8px;
  }
  .trouble {
    border-inline-start: 5px solid var(--bad);
    padding: 4px 10px;
    margin: 0;
  }
  footer {
    flex: none;
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    padding-top: 8px;
    align-items: center;
  }
  footer .next {
    background: var(--accent);
    color: var(--on-accent);
    border-color: var(--accent);
    font-weight: 650;
    flex: 1;
  }
  footer .next:hover:not(:disabled) {
    background: var(--accent);
    opacity: 0.85;
  }
  .dots {
    display: flex;
    gap: 4px;
    flex-basis: 100%;
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .dots button {
    flex: 1;
    width: 100%;
    min-height: 24px;
    padding: 0;
    border: 0;
    background: none;
    display: grid;
    place-items: center;
  }
  .dots li {
    flex: 1;
  }
  .dots i {
    display: block;
    width: 100%;
    height: 6px;
    border-radius: 3px;
    background: var(--line);
  }
  .dots [aria-current] i {
    background: var(--accent);
    height: 10px;
  }
  ul.sources {
    margin: 0;
    padding-inline-start: 1.2em;
    color: var(--mute);
    font-size: 0.93em;
  }
  :host([presenting]) h3 {
    font-size: 1em;
  }
  /* What was not chosen and is not right makes room for the reason. */
  :host([presenting]) .choices li:has(button:disabled:not(.right, .wrong)) {
    display: none;
  }
  @media (max-width: 1399px) {
    :host([presenting]) footer {
      display: none;
    }
  }
  :host([presenting]) header,
  :host([presenting]) .dots,
  :host([presenting]) .quiet {
    display: none;
  }
`;
