// Under the list of pages: what of this is there without a network. Who reads the documentation wants it kept, so it asks for that.

import {defineComponent, h, onMounted, onUnmounted, ref} from 'vue';
import {askWorker, offlineWords, watchOffline} from '../../../packages/visualiser/src/offline/offline-news.js';
import {whenIdle} from '../../../packages/visualiser/src/offline/register.js';

export const OfflineLine = defineComponent(() => {
  const sentence = ref('');
  let asked = false;
  let stop = (): void => undefined;
  const keep = async (): Promise<void> => {
    if (asked) return;
    asked = true;
    await whenIdle();
    await askWorker('keep documentation');
  };
  onMounted(() => {
    stop = watchOffline(known => {
      sentence.value = offlineWords(known).sentence;
      if (typeof known === 'object' && known.kind === 'state' && known.state.lab.kept === known.state.lab.of)
        void keep();
    });
  });
  onUnmounted(() => stop());
  return () => h('p', {class: 'offline-line', role: 'status'}, sentence.value);
});
