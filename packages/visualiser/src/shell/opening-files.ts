// Files that the reader brings along: dropped on the lab, or chosen. An image becomes a guest; a text of assembly runs in the place
// of the guest that is open. Nothing of them leaves the page.

import type {Remote} from 'comlink';
import type {OpenedImage} from '../compare/comparing.js';
import {openText} from '../editor/text-file.js';
import type {LabClient} from '../lab-client.js';
import type {LabController} from '../lab-controller.js';

const isAssembly = (name: string): boolean => /\.(asm|nasm|s)$/i.test(name);
const isScenario = (name: string): boolean => /\.md$/i.test(name);

/** Opens a file; what goes wrong is a sentence on the page. `keep` is given an image that became a guest, by the guest's id. */
export async function openFile(
  file: File,
  client: Remote<LabClient>,
  lab: LabController,
  keep: (id: string, image: OpenedImage) => void,
): Promise<void> {
  try {
    if (isScenario(file.name))
      return lab.notice(`${file.name} looks like a scenario: open Scenarios and choose it there.`);
    if (isAssembly(file.name)) {
      const read = await openText(file);
      return read.kind === 'text' ? await lab.runEdited(read.text) : lab.notice(read.why);
    }
    const bytes = new Uint8Array(await file.arrayBuffer());
    const image = await client.addImage(file.name, bytes);
    keep(image.id, {name: file.name, bytes});
    await lab.openAdded(image.id);
    lab.notice(`${file.name} is a ${image.what}. It runs here as it is; nothing of it leaves this page.`);
  } catch (error) {
    lab.notice(error instanceof Error ? error.message : String(error));
  }
}

/** Lets the reader choose a file. */
export async function chooseFile(): Promise<File | undefined> {
  const input = document.createElement('input');
  input.type = 'file';
  const chosen = new Promise<File | undefined>(resolve => {
    input.addEventListener('change', () => resolve(input.files?.[0]));
    input.addEventListener('cancel', () => resolve(undefined));
  });
  input.click();
  return chosen;
}

/** Watches for files that are dragged over an element. `over` hears when one comes and goes, `open` gets it. */
export function watchDrops(
  element: HTMLElement,
  over: (standing: 'away' | 'over') => void,
  open: (file: File) => void,
): void {
  const hasFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  element.addEventListener('dragover', event => {
    // Whoever takes the file itself, such as a list of scenarios, has said so.
    if (!hasFile(event) || event.defaultPrevented) return;
    event.preventDefault();
    over('over');
  });
  element.addEventListener('dragleave', event => {
    if (event.relatedTarget === null) over('away');
  });
  element.addEventListener('drop', event => {
    over('away');
    const file = event.dataTransfer?.files[0];
    if (file === undefined || event.defaultPrevented) return;
    event.preventDefault();
    open(file);
  });
}
