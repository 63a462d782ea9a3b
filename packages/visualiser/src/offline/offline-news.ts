// What the page says of what is kept: the sentence, and asking the service worker for it.

import {canBeKept} from './register.js';
import {readOfflineNews, requestMessage, type OfflineNews, type OfflineRequest} from './offline-messages.js';

/** What is known of what is kept; 'none' where the browser keeps nothing, 'waiting' before the worker has said anything. */
export type OfflineKnown = 'none' | 'waiting' | OfflineNews;

/** Mebibytes, with one decimal: `5.2 MiB`. */
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** What to say, and whether asking for the documentation would help. */
export interface OfflineWords {
  readonly sentence: string;
  /** The label of a button that keeps the documentation too. */
  readonly offer: string | undefined;
}

/** What a reader is told. */
export function offlineWords(known: OfflineKnown): OfflineWords {
  if (known === 'none') {
    return {
      sentence:
        'Not available offline here: this browser keeps pages only from https or localhost, and not in private windows.',
      offer: undefined,
    };
  }
  if (known === 'waiting') return {sentence: 'Not yet available offline.', offer: undefined};
  if (known.kind === 'trouble') {
    return {sentence: `The documentation could not be kept: ${known.why}.`, offer: 'Try again'};
  }
  const {lab, documentation} = known.state;
  if (lab.kept < lab.of)
    return {sentence: `Being kept for offline: ${lab.kept} of ${lab.of} files of the lab.`, offer: undefined};
  if (documentation.kept === documentation.of)
    return {sentence: 'Available offline: the lab, with documentation.', offer: undefined};
  if (documentation.kept > 0) {
    const part = `${documentation.kept} of ${documentation.of} files of the documentation`;
    return {sentence: `Available offline: the lab. Being kept: ${part}.`, offer: 'Go on'};
  }
  return {
    sentence: 'Available offline: the lab. The documentation is kept when it is first opened.',
    offer: `Save the documentation for offline (${mebibytes(documentation.bytes)})`,
  };
}

/** Asks the worker of this page; nothing happens where there is none yet. */
export async function askWorker(request: OfflineRequest): Promise<void> {
  if (!canBeKept()) return;
  const registration = await navigator.serviceWorker.getRegistration();
  const worker = registration?.active ?? registration?.installing ?? registration?.waiting;
  worker?.postMessage(requestMessage(request));
}

/** Hears what is kept, from now on; gives what ends that. */
export function watchOffline(changed: (known: OfflineKnown) => void): () => void {
  if (!canBeKept()) {
    changed('none');
    return () => undefined;
  }
  changed('waiting');
  const hear = (event: MessageEvent<unknown>): void => {
    const news = readOfflineNews(event.data);
    if (news !== undefined) changed(news);
  };
  navigator.serviceWorker.addEventListener('message', hear);
  navigator.serviceWorker.startMessages();
  void askWorker('tell');
  return () => navigator.serviceWorker.removeEventListener('message', hear);
}
