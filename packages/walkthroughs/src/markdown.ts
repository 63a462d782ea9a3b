// Markdown as a tree of plain values, for a page that draws it with elements of its own: there is no HTML in between, and what
// stands in a file as HTML is shown as the text that it is.

import {lexer} from 'marked';
import type {Token, Tokens} from 'marked';

/** Text within a line. */
export type Span =
  | {readonly kind: 'text' | 'code'; readonly text: string}
  | {readonly kind: 'strong' | 'emphasis'; readonly spans: readonly Span[]}
  /** `to` begins with https://. */
  | {readonly kind: 'link'; readonly to: string; readonly spans: readonly Span[]}
  | {readonly kind: 'break'};

export type Block =
  | {readonly kind: 'paragraph'; readonly spans: readonly Span[]}
  | {readonly kind: 'code'; readonly text: string}
  | {readonly kind: 'heading'; readonly spans: readonly Span[]}
  | {readonly kind: 'quote'; readonly blocks: readonly Block[]}
  | {readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly (readonly Block[])[]}
  | {
      readonly kind: 'table';
      readonly header: readonly (readonly Span[])[];
      readonly rows: readonly (readonly (readonly Span[])[])[];
    };

/** Lists and quotes deeper than this are shown as text. */
const DEEPEST = 6;

/** What a text in Markdown says. Understands any text; never throws. */
export function blocksOf(markdown: string): readonly Block[] {
  return blocks(lexer(markdown, {gfm: true}), 0);
}

function blocks(tokens: readonly Token[], depth: number): readonly Block[] {
  return tokens.flatMap(token => block(token, depth));
}

const asText = (raw: string): readonly Block[] =>
  raw.trim() === '' ? [] : [{kind: 'paragraph', spans: [{kind: 'text', text: raw.trim()}]}];

function block(token: Token, depth: number): readonly Block[] {
  if (depth > DEEPEST) return asText(token.raw);
  switch (token.type) {
    case 'space':
    case 'def':
      return [];
    case 'code':
      return [{kind: 'code', text: textIn(token)}];
    case 'heading':
      return [{kind: 'heading', spans: spansIn(token)}];
    case 'paragraph':
    case 'text':
      return [{kind: 'paragraph', spans: spansIn(token)}];
    case 'blockquote':
      return [{kind: 'quote', blocks: blocks(token.tokens ?? [], depth + 1)}];
    default:
      return isList(token) ? [list(token, depth)] : isTable(token) ? [table(token)] : asText(token.raw);
  }
}

const isList = (token: Token): token is Tokens.List => token.type === 'list';
const isTable = (token: Token): token is Tokens.Table => token.type === 'table';

const list = ({items, ordered}: Tokens.List, depth: number): Block => ({
  kind: 'list',
  ordered,
  items: items.map(item => blocks(item.tokens, depth + 1)),
});

const table = ({header, rows}: Tokens.Table): Block => ({
  kind: 'table',
  header: header.map(cell => spans(cell.tokens, 0)),
  rows: rows.map(row => row.map(cell => spans(cell.tokens, 0))),
});

const textIn = (token: Token): string => ('text' in token && typeof token.text === 'string' ? token.text : token.raw);

/** Its own text where the lexer gave no inner tokens. */
function spansIn(token: Token): readonly Span[] {
  const inner = 'tokens' in token ? token.tokens : undefined;
  return inner === undefined ? [{kind: 'text', text: unescaped(textIn(token))}] : spans(inner, 0);
}

function spans(tokens: readonly Token[], depth: number): readonly Span[] {
  return tokens.map(token => span(token, depth));
}

function span(token: Token, depth: number): Span {
  if (depth > DEEPEST) return {kind: 'text', text: token.raw};
  const inner = (): readonly Span[] => spans('tokens' in token ? (token.tokens ?? []) : [], depth + 1);
  switch (token.type) {
    case 'strong':
      return {kind: 'strong', spans: inner()};
    case 'em':
      return {kind: 'emphasis', spans: inner()};
    case 'codespan':
      return {kind: 'code', text: unescaped(textIn(token))};
    case 'br':
      return {kind: 'break'};
    case 'link': {
      const to = 'href' in token && typeof token.href === 'string' ? token.href : '';
      return to.startsWith('https://') ? {kind: 'link', to, spans: inner()} : {kind: 'text', text: textIn(token)};
    }
    case 'text':
    case 'escape':
      return {kind: 'text', text: unescaped(textIn(token))};
    default:
      return {kind: 'text', text: token.raw};
  }
}

const ENTITIES: Readonly<Record<string, string>> = {amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'"};

/** The lexer writes five characters as HTML would have them. */
const unescaped = (text: string): string =>
  text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (all, name: string) => ENTITIES[name] ?? all);
