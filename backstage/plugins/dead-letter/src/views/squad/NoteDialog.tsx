import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Button,
  Dialog,
  DialogBody,
  DialogFooter,
  DialogHeader,
  Flex,
  Text,
  TextAreaField,
} from '@backstage/ui';
import { ErrorGroup } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useState } from 'react';
import { Failed } from '../../components/Failed';
import readable from '../../components/readable.module.css';
import { deadLetterTranslationRef } from '../../translation';
import { GroupEvents } from './GroupEvents';
import { useChange } from './useChange';
import { useTitle } from './useTitle';

interface NoteDialogProps {
  group: ErrorGroup;
  onClose: () => void;
}

/** Writes down what is known of a group. It stays open where that fails: nobody should write it twice. */
export function NoteDialog({ group, onClose }: NoteDialogProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const change = useChange(group);
  const title = useTitle(group);
  const [note, setNote] = useState('');
  const empty = note.trim() === '';
  return (
    <Dialog
      isOpen
      onOpenChange={open => !open && onClose()}
      width={480}
      className={readable.readable}
    >
      <DialogHeader>{t('squad.noteDialog.title')}</DialogHeader>
      <DialogBody>
        <Flex direction="column" gap="4">
          <Text>{title}</Text>
          <Failed title={t('squad.change.failed')} error={change.error} />
          <GroupEvents id={group.id} />
          <TextAreaField
            // Who opens it wants to write.
            // eslint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
            label={t('squad.noteDialog.text')}
            description={t('squad.noteDialog.hint')}
            rows={4}
            value={note}
            onChange={setNote}
          />
        </Flex>
      </DialogBody>
      <DialogFooter>
        <Button variant="secondary" onPress={onClose}>
          {t('squad.noteDialog.cancel')}
        </Button>
        <Button
          variant="primary"
          isDisabled={empty}
          isPending={change.isPending}
          onPress={() =>
            change.mutate(
              { action: 'note', note: note.trim() },
              { onSuccess: onClose },
            )
          }
        >
          {t('squad.noteDialog.save')}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
