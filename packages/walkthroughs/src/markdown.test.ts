import {expect, test} from 'vitest';
import {blocksOf} from './markdown.js';

test('paragraphs, lists, code and emphasis', () =>
  expect(blocksOf('A **b** `c < d`\n\n- one\n- two\n\n```\nx\n```')).toEqual([
    {
      kind: 'paragraph',
      spans: [
        {kind: 'text', text: 'A '},
        {kind: 'strong', spans: [{kind: 'text', text: 'b'}]},
        {kind: 'text', text: ' '},
        {kind: 'code', text: 'c < d'},
      ],
    },
    {
      kind: 'list',
      ordered: false,
      items: [
        [{kind: 'paragraph', spans: [{kind: 'text', text: 'one'}]}],
        [{kind: 'paragraph', spans: [{kind: 'text', text: 'two'}]}],
      ],
    },
    {kind: 'code', text: 'x'},
  ]));

test.each(['<img src=x onerror=alert(1)>', 'a <script>alert(1)</script> b', '<!-- x -->'])('%s stays text', html => {
  const words = JSON.stringify(blocksOf(html));
  expect(words).not.toContain('"kind":"html"');
  const texts = [...words.matchAll(/"text":"([^"]*)"/g)].map(([, text]) => text);
  expect(texts.join('')).toBe(html);
});

test.each(['javascript:alert(1)', 'data:text/html,x', 'http://example.org', '//example.org'])(
  'a link to %s is none',
  to => expect(JSON.stringify(blocksOf(`[here](${to})`))).not.toContain('"link"'),
);

test('a link to https is one', () =>
  expect(blocksOf('[here](https://example.org/)')).toMatchObject([
    {spans: [{kind: 'link', to: 'https://example.org/'}]},
  ]));

test('quotes within quotes end somewhere', () => expect(blocksOf('>'.repeat(500) + 'x').length).toBeGreaterThan(0));
