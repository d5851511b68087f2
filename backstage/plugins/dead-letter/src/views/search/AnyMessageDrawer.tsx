import { Progress, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Dialog, DialogBody, DialogHeader } from '@backstage/ui';
import { PropsWithChildren } from 'react';
import { Answered } from '../../components/Answered';
import { Allowed } from '../../components/Guarded';
import { useAnswer, useAskAgain } from '../../hooks/useDeadLetter';
import { useServiceTabs } from '../../hooks/useTabs';
import { deadLetterTranslationRef } from '../../translation';
import { Gone, MessageDrawer, isGone, messageKey } from '../service/drawer';

interface AnyMessageDrawerProps {
  id: string;
  onClose: () => void;
  onOpen: (id: string) => void;
}

/** A dead letter that only its id is known of: its service says whose permissions count. */
export function AnyMessageDrawer(props: AnyMessageDrawerProps) {
  const { id, onClose } = props;
  const answer = useAnswer(
    messageKey(id),
    (client, signal) => client.message(id, signal),
    { keep: false },
  );
  const askAgain = useAskAgain();
  const service = answer.data?.service;
  const place = useServiceTabs(service ? [service] : [])(service ?? '');
  if (!place) {
    const isMissing = answer.data === undefined && isGone(answer.error);
    return (
      <Plain onClose={onClose}>
        {isMissing ? (
          <Gone />
        ) : (
          <Answered answer={answer}>{() => <Progress />}</Answered>
        )}
      </Plain>
    );
  }
  return (
    <Allowed
      resourceRef={place.resourceRef}
      service={service}
      denied={denied => <Plain onClose={onClose}>{denied}</Plain>}
    >
      <MessageDrawer
        {...props}
        resourceRef={place.resourceRef}
        onChanged={() => askAgain()}
      />
    </Allowed>
  );
}

function Plain({
  onClose,
  children,
}: PropsWithChildren<{ onClose: () => void }>) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Dialog isOpen onOpenChange={isOpen => !isOpen && onClose()}>
      <DialogHeader>{t('message.title')}</DialogHeader>
      <DialogBody>{children}</DialogBody>
    </Dialog>
  );
}
