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
import { RiNotification3Line } from '@remixicon/react';
import { useMutation } from '@tanstack/react-query';
import { FormEvent, useId, useState } from 'react';
import { Failed } from '../../components/Failed';
import readable from '../../components/readable.module.css';
import { useAskAgain, useDeadLetter } from '../../hooks/useDeadLetter';
import { useMay } from '../../hooks/useMay';
import { deadLetterTranslationRef } from '../../translation';

interface TestButtonProps {
  /** The squad that is looked at; may be empty. */
  squad: string;
  /** Called with the id of the incident that tells what became of it. */
  onSent: (id: string) => void;
}

/** Tries whether a squad's notifications arrive. Nothing for those who may not. */
export function TestButton({ squad, onSent }: TestButtonProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { allowed } = useMay('admin');
  const [isOpen, setOpen] = useState(false);
  if (!allowed) return null;
  return (
    <>
      <Button
        variant="secondary"
        iconStart={<RiNotification3Line />}
        onPress={() => setOpen(true)}
      >
        {t('incidents.test')}
      </Button>
      {isOpen && (
        <TestDialog
          squad={squad}
          onSent={onSent}
          onClose={() => setOpen(false)}
        />
      )}
    </>
  );
}

function TestDialog({
  squad,
  onSent,
  onClose,
}: TestButtonProps & { onClose: () => void }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const client = useDeadLetter();
  const askAgain = useAskAgain();
  const [name, setName] = useState(squad);
  const form = useId();
  const sending = useMutation({
    mutationFn: (wanted: string) => client.testNotification(wanted),
    onSuccess: ({ id }) => {
      onClose();
      onSent(id);
      return askAgain(['incidents']);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) sending.mutate(name.trim());
  };
  return (
    <Dialog
      isOpen
      onOpenChange={open => !open && onClose()}
      width={480}
      className={readable.readable}
    >
      <DialogHeader>{t('incidents.testTitle')}</DialogHeader>
      <DialogBody>
        <form id={form} onSubmit={submit}>
          <Flex direction="column" gap="4">
            <Text as="p" color="secondary">
              {t('incidents.testDetail')}
            </Text>
            <Failed title={t('incidents.testFailed')} error={sending.error} />
            <TextField
              // Who opens it wants to write, or presses Enter.
              // eslint-disable-next-line jsx-a11y/no-autofocus
              autoFocus
              label={t('incidents.squad')}
              value={name}
              onChange={setName}
            />
          </Flex>
        </form>
      </DialogBody>
      <DialogFooter>
        <Button variant="secondary" onPress={onClose}>
          {t('incidents.cancel')}
        </Button>
        <Button
          type="submit"
          form={form}
          variant="primary"
          isDisabled={name.trim() === ''}
          isPending={sending.isPending}
        >
          {t('incidents.testSend')}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
