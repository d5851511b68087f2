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
import {
  ErrorGroup,
  ErrorGroupChange,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { FormEvent, useId, useState } from 'react';
import { Failed } from '../../components/Failed';
import readable from '../../components/readable.module.css';
import { useAnswer } from '../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../translation';
import { useChange } from '../squad/useChange';
import { useTitle } from '../squad/useTitle';

/** What is said of who works on a group. */
export type CareKind = 'assign' | 'link';

interface CareDialogProps {
  group: ErrorGroup;
  kind: CareKind;
  onClose: () => void;
}

/** Asks who is on a group, or for its ticket. Enter sends it; an empty field takes back what was said. */
export function CareDialog({ group, kind, onClose }: CareDialogProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const title = useTitle(group);
  const mutation = useChange(group);
  const isLink = kind === 'link';
  const [value, setValue] = useState(
    (isLink ? group.ticket?.url : group.assignee) ?? '',
  );
  const [key, setKey] = useState(group.ticket?.key ?? '');
  const form = useId();
  const me = useAnswer(['me'], (client, signal) => client.me(signal));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    mutation.mutate(changeOf(kind, value.trim(), key.trim()), {
      onSuccess: onClose,
    });
  };
  return (
    <Dialog
      isOpen
      onOpenChange={open => !open && onClose()}
      width={480}
      className={readable.readable}
    >
      <DialogHeader>{t(`group.care.${kind}`)}</DialogHeader>
      <DialogBody>
        <form id={form} onSubmit={submit}>
          <Flex direction="column" gap="4">
            <Text>{title}</Text>
            <Failed title={t('squad.change.failed')} error={mutation.error} />
            <TextField
              // Who opens it wants to write, or presses Enter.
              // eslint-disable-next-line jsx-a11y/no-autofocus
              autoFocus
              label={t(isLink ? 'group.care.url' : 'group.care.who')}
              description={t(
                isLink ? 'group.care.urlHint' : 'group.care.whoHint',
              )}
              value={value}
              onChange={setValue}
            />
            {isLink && (
              <TextField
                label={t('group.care.key')}
                description={t('group.care.keyHint')}
                value={key}
                onChange={setKey}
              />
            )}
          </Flex>
        </form>
      </DialogBody>
      <DialogFooter>
        {!isLink && me.data?.id && (
          <Button
            variant="secondary"
            onPress={() =>
              mutation.mutate(
                { action: 'assign', assignee: 'me' },
                { onSuccess: onClose },
              )
            }
          >
            {t('group.care.toMe')}
          </Button>
        )}
        <Button variant="secondary" onPress={onClose}>
          {t('squad.noteDialog.cancel')}
        </Button>
        <Button
          type="submit"
          form={form}
          variant="primary"
          isPending={mutation.isPending}
        >
          {t('group.care.save')}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}

function changeOf(
  kind: CareKind,
  value: string,
  key: string,
): ErrorGroupChange {
  if (kind === 'link') {
    return value
      ? { action: 'link', ticketUrl: value, ...(key && { ticketKey: key }) }
      : { action: 'unlink' };
  }
  return value ? { action: 'assign', assignee: value } : { action: 'unassign' };
}
