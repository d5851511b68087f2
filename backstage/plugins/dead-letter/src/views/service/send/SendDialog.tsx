import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Button,
  Dialog,
  DialogBody,
  DialogFooter,
  DialogHeader,
  Flex,
  Text,
} from '@backstage/ui';
import {
  DeadLetteredMessageDetails,
  Operation,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { useMutation } from '@tanstack/react-query';
import { FormEvent, useId, useState } from 'react';
import { Failed } from '../../../components/Failed';
import readable from '../../../components/readable.module.css';
import { useDeadLetter } from '../../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../../translation';
import { Fields } from './Fields';
import { Previewed } from './Previewed';
import { Lack, Sending, Typed, requestOf, textOf } from './request';

interface SendDialogProps {
  sending: Sending;
  message: DeadLetteredMessageDetails;
  onClose: () => void;
  onBegun: (operation: Operation) => void;
}

/** Edits one message on its way, or sends a copy of it elsewhere. What would be sent is shown before it is. */
export function SendDialog(props: SendDialogProps) {
  const { sending, message, onClose, onBegun } = props;
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const client = useDeadLetter();
  const form = useId();
  const [typed, setTyped] = useState<Typed>({
    exchange: '',
    routingKey: '',
    body: textOf(message) ?? '',
    setHeaders: '',
    removeHeaders: '',
  });
  const [note, setNote] = useState('');
  const request = requestOf(sending, message, typed);
  const lack: Lack | undefined =
    typeof request === 'string' ? request : undefined;
  const asked = JSON.stringify(request);
  const preview = useMutation({
    mutationFn: async () => ({
      of: asked,
      sample: (await client.preview(JSON.parse(asked))).samples[0],
    }),
  });
  const run = useMutation<Operation, Error>({
    mutationFn: async () => {
      const { id } = await client.plan(JSON.parse(asked));
      return client.run({ planId: id, ...(note.trim() && { note }) });
    },
    onSuccess: onBegun,
  });
  // What has been changed since must be looked at again.
  const sample = preview.data?.of === asked ? preview.data.sample : undefined;
  const look = (event: FormEvent) => {
    event.preventDefault();
    if (!lack) preview.mutate();
  };
  return (
    <Dialog
      isOpen
      onOpenChange={open => !open && !run.isPending && onClose()}
      width={760}
      className={readable.readable}
    >
      <DialogHeader>{t(`send.${sending}Title`)}</DialogHeader>
      <DialogBody>
        <Flex direction="column" gap="4">
          <Text as="p">{t(`send.${sending}Detail`)}</Text>
          <form id={form} onSubmit={look}>
            <Fields
              sending={sending}
              canEditBody={textOf(message) !== undefined}
              typed={typed}
              onType={changed => setTyped({ ...typed, ...changed })}
              note={note}
              onNote={setNote}
            />
          </form>
          <Failed title={t('send.previewFailed')} error={preview.error} />
          <Failed title={t('send.runFailed')} error={run.error} />
          {sample && <Previewed sample={sample} />}
          {lack && <Text color="secondary">{t(`send.${lack}`)}</Text>}
        </Flex>
      </DialogBody>
      <DialogFooter>
        <Button
          variant="secondary"
          isDisabled={run.isPending}
          onPress={onClose}
        >
          {t('send.cancel')}
        </Button>
        <Button
          type="submit"
          form={form}
          variant="secondary"
          isDisabled={lack !== undefined}
          isPending={preview.isPending}
        >
          {t('send.preview')}
        </Button>
        <Button
          variant="primary"
          isDisabled={!sample?.after}
          isPending={run.isPending}
          onPress={() => run.mutate()}
        >
          {t(sending === 'edit' ? 'send.runEdit' : 'send.runCopy')}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
