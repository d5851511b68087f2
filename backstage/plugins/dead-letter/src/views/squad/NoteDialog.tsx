import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Alert,
  Button,
  Dialog,
  DialogBody,
  DialogFooter,
  DialogHeader,
  Flex,
  Text,
  TextAreaField,
} from '@backstage/ui';
import { useState } from 'react';
import { reasonOf } from '../../components/Answers';
import { deadLetterTranslationRef } from '../../translation';

interface NoteDialogProps {
  /** Which error group it is. */
  about: string;
  save: (note: string) => Promise<void>;
  close: () => void;
}

/** Writes something down about an error group. What was written stays where saving it fails. */
export function NoteDialog({ about, save, close }: NoteDialogProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [note, setNote] = useState('');
  const [failure, setFailure] = useState<Error>();
  const [saving, setSaving] = useState(false);
  async function onSave() {
    setSaving(true);
    try {
      await save(note.trim());
      close();
    } catch (error) {
      setFailure(error as Error);
      setSaving(false);
    }
  }
  return (
    <Dialog isOpen onOpenChange={open => !open && close()} width={480}>
      <DialogHeader>{t('squad.note.title')}</DialogHeader>
      <DialogBody>
        <Flex direction="column" gap="4">
          <Text as="p" weight="bold">
            {about}
          </Text>
          <Text as="p">{t('squad.note.hint')}</Text>
          {failure && (
            <Alert
              role="alert"
              status="danger"
              icon
              title={t('squad.change.failed')}
              description={reasonOf(failure)}
            />
          )}
          <TextAreaField
            label={t('squad.note.label')}
            value={note}
            onChange={setNote}
            // Whoever opened this dialog is about to write.
            // eslint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
          />
        </Flex>
      </DialogBody>
      <DialogFooter>
        <Button variant="secondary" onPress={close}>
          {t('squad.note.cancel')}
        </Button>
        <Button isDisabled={!note.trim()} isPending={saving} onPress={onSave}>
          {t('squad.note.save')}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
