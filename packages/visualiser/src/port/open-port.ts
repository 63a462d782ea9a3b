// Opens the dialog of a port over the lab.

import {UserError} from '@hyperscope/base';
import type {Remote} from 'comlink';
import type {LabClient} from '../lab-client.js';
import {PortDialog} from './port-dialog.js';

/** @throws UserError 'no-port' where the guest is no port of another. */
export async function openPort(
  lab: Element,
  client: Pick<Remote<LabClient>, 'portText'>,
  guest: string,
): Promise<void> {
  const text = await client.portText(guest);
  if (text === undefined) throw new UserError('no-port', `${guest} is no port of another guest.`);
  const dialog = new PortDialog();
  (lab.shadowRoot ?? lab).append(dialog);
  await dialog.show(text);
}
