// What the page hears of what is kept, and says of it.

import {describe, expect, it} from 'vitest';
import {readOfflineNews, readOfflineRequest, requestMessage, stateMessage, troubleMessage} from './offline-messages.js';
import {offlineWords} from './offline-news.js';

const state = (lab: number, documentation: number) => ({
  lab: {kept: lab, of: 10, bytes: 100},
  documentation: {kept: documentation, of: 80, bytes: 5 * 2 ** 20},
});

describe('messages', () => {
  it('come back as they were sent', () => {
    expect(readOfflineNews(stateMessage(state(3, 0)))).toEqual({kind: 'state', state: state(3, 0)});
    expect(readOfflineNews(troubleMessage('no room'))).toEqual({kind: 'trouble', why: 'no room'});
    expect(readOfflineRequest(requestMessage('keep documentation'))).toBe('keep documentation');
  });
  it.each([undefined, 3, {}, {hyperscope: 'hyperscope-offline-news', news: {kind: 'state', state: {lab: {}}}}])(
    'are not made of %j',
    data => {
      expect(readOfflineNews(data)).toBeUndefined();
      expect(readOfflineRequest(data)).toBeUndefined();
    },
  );
});

describe('the sentence', () => {
  it.each([
    [{kind: 'state', state: state(4, 0)}, 'Being kept for offline: 4 of 10 files of the lab.', undefined],
    [
      {kind: 'state', state: state(10, 0)},
      'Available offline: the lab. The documentation is kept when it is first opened.',
      'Save the documentation for offline (5.0 MiB)',
    ],
    [
      {kind: 'state', state: state(10, 7)},
      'Available offline: the lab. Being kept: 7 of 80 files of the documentation.',
      'Go on',
    ],
    [{kind: 'state', state: state(10, 80)}, 'Available offline: the lab, with documentation.', undefined],
    [{kind: 'trouble', why: 'no room'}, 'The documentation could not be kept: no room.', 'Try again'],
  ] as const)('of %j', (known, sentence, offer) => {
    expect(offlineWords(known)).toEqual({sentence, offer});
  });
});
