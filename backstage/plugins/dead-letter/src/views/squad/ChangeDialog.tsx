import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Button,
  Dialog,
  DialogBody,
  DialogFooter,
  DialogHeader,
  Flex,
  Text,
  TextField,
} from '@backstage/ui';
import { ErrorGroup } from '@dead-letter/backstage-plugin-dead-letter-common';
import { FormEvent, useId, useState } from 'react';
import { Failed } from '../../components/Failed';
import readable from '../../components/readable.module.css';
import { deadLetterTranslationRef } from '../../translation';
import { FixedIn, FixedInFields, fixedBy } from './FixedInFields';
import { MuteChoice, mutedBy, useSayMute } from './mutes';
import { useChange } from './useChange';
import { useTitle } from './useTitle';

/** What is said of a group. */
export type Change = 'resolve' | 'reopen' | MuteChoice;

/** The most that the service takes. */
const MAX_NOTE = 1_000;

interface ChangeDialogProps {
  group: ErrorGroup;
  change: Change;
  onClose: () => void;
}

/** Asks why, before a group is resolved, muted or reopened: whoever comes next reads it. Enter sends it. */
export function ChangeDialog({ group, change, onClose }: ChangeDialogProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const sayMute = useSayMute();
  const title = useTitle(group);
  const mutation = useChange(group);
  const [note, setNote] = useState('');
  const [fixed, setFixed] = useState<FixedIn>({ in: 'now' });
  const form = useId();
  const isMute = change !== 'resolve' && change !== 'reopen';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    mutation.mutate(
      {
        ...(isMute
          ? { action: 'mute', ...mutedBy(change, group) }
          : { action: change, ...(change === 'resolve' && fixedBy(fixed)) }),
        ...(note.trim() && { note: note.trim() }),
      },
      { onSuccess: onClose },
    );
  };
  const action = isMute ? 'mute' : change;
  return (
    <Dialog
      isOpen
      onOpenChange={open => !open && onClose()}
      width={480}
      className={readable.readable}
    >
      <DialogHeader>
        {isMute ? sayMute(change, group) : t(`squad.change.${change}`)}
      </DialogHeader>
      <DialogBody>
        <form id={form} onSubmit={submit}>
          <Flex direction="column" gap="4">
            <Text>{title}</Text>
            <Text as="p" color="secondary">
              {action === 'resolve' && fixed.in !== 'now'
                ? t('squad.changeDialog.resolveInVersion')
                : t(`squad.changeDialog.${action}`)}
            </Text>
            <Failed title={t('squad.change.failed')} error={mutation.error} />
            <TextField
              // Who opens it wants to write, or presses Enter.
              // eslint-disable-next-line jsx-a11y/no-autofocus
              autoFocus
              label={t('squad.changeDialog.reason')}
              description={t('squad.changeDialog.hint')}
              maxLength={MAX_NOTE}
              value={note}
              onChange={setNote}
            />
            {action === 'resolve' && (
              <FixedInFields fixed={fixed} onChange={setFixed} />
            )}
          </Flex>
        </form>
      </DialogBody>
      <DialogFooter>
        <Button variant="secondary" onPress={onClose}>
          {t('squad.noteDialog.cancel')}
        </Button>
        <Button
          type="submit"
          form={form}
          variant="primary"
          isPending={mutation.isPending}
        >
          {t(`squad.changeDialog.run.${action}`)}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
