// What is answered from what was kept, and what never is.

import {describe, expect, it} from 'vitest';
import {answer, keptAs, sourceOf} from './serve-offline.js';

const SCOPE = 'https://example.org/lab/';
const get = (path: string) => sourceOf({method: 'GET', url: SCOPE + path}, SCOPE);

describe('where a request is answered from', () => {
  it.each([
    ['assets/index-Cx-dNsug.js', 'kept first'],
    ['docs/assets/chunks/theme.B1x2Y3z4-abcdefgh.js', 'network first'],
    ['', 'network first'],
    ['index.html?embed=stage', 'network first'],
    ['recordings/hello-kvm.kvm.hsr', 'network first'],
    ['api/kvm/status', 'leave'],
    ['healthz', 'leave'],
    ['metrics', 'leave'],
  ])('%s: %s', (path, source) => {
    expect(get(path)).toBe(source);
  });
  it('is not ours for other sites, other folders and what is sent', () => {
    expect(sourceOf({method: 'GET', url: 'https://example.com/lab/a.js'}, SCOPE)).toBe('leave');
    expect(sourceOf({method: 'GET', url: 'https://example.org/labels'}, SCOPE)).toBe('leave');
    expect(sourceOf({method: 'POST', url: SCOPE}, SCOPE)).toBe('leave');
  });
});

describe('the answer', () => {
  const kept = {
    match: async (url: RequestInfo | URL) => (url === `${SCOPE}index.html` ? new Response('kept') : undefined),
  };
  const online = {kept, fetch: async () => new Response('network')};
  const offline = {
    kept,
    fetch: async () => {
      throw new TypeError('Failed to fetch');
    },
  };
  const text = async (response: Promise<Response>) => (await response).text();

  it('is the network’s while there is one, else the kept file', async () => {
    const request = new Request(`${SCOPE}?embed=stage`);
    expect(await text(answer(request, 'network first', online))).toBe('network');
    expect(await text(answer(request, 'network first', offline))).toBe('kept');
  });
  it('is the kept file where its name says what it is', async () => {
    expect(await text(answer(new Request(`${SCOPE}index.html`), 'kept first', online))).toBe('kept');
    expect(await text(answer(new Request(`${SCOPE}assets/new-12345678.js`), 'kept first', online))).toBe('network');
  });
  it('fails as the network does where nothing was kept', async () => {
    await expect(answer(new Request(`${SCOPE}other.html`), 'network first', offline)).rejects.toThrow(
      'Failed to fetch',
    );
  });
  it('finds a folder by its page', () => {
    expect(keptAs(`${SCOPE}docs/#top`)).toBe(`${SCOPE}docs/index.html`);
  });
});
