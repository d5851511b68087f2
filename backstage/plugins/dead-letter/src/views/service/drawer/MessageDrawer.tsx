import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Alert,
  Dialog,
  DialogBody,
  DialogFooter,
  DialogHeader,
  Text,
} from '@backstage/ui';
import { DeadLetteredMessageDetails } from '@dead-letter/backstage-plugin-dead-letter-common';
import {
  PropsWithChildren,
  useCallback,
  useEffect,
  useRef,
  useState,
} from 'react';
import { Answered } from '../../../components/Answered';
import readable from '../../../components/readable.module.css';
import { useAnswer, useAskAgain } from '../../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../../translation';
import { Acting, ActingProps } from '../../acting';
import { OperationsOf } from '../../operations/OperationsOf';
import { useOperation } from '../../operations/useOperation';
import { DrawerSkeleton } from './DrawerSkeleton';
import { MessageDetails } from './MessageDetails';
import styles from './drawer.module.css';

export interface MessageDrawerProps {
  id: string;
  /** The catalog entity whose permissions count. */
  resourceRef: string;
  onClose: () => void;
  /** Another death of the same message is to be shown instead. */
  onOpen: (id: string) => void;
  /** It was acted on: lists of dead letters are out of date. */
  onChanged: () => void;
}

/** The question for a dead letter. */
export function messageKey(id: string): readonly unknown[] {
  return ['message', id];
}

/** One dead letter, whole, beside the list that it is in. */
export function MessageDrawer(props: MessageDrawerProps) {
  const { id, onClose, onOpen } = props;
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const answer = useAnswer(
    messageKey(id),
    (client, signal) => client.message(id, signal),
    // What another one was must not be taken for this one.
    { keep: false },
  );
  const message = answer.data;
  const type = message?.type;
  const gone = message === undefined && isGone(answer.error);
  return (
    <Dialog
      isOpen
      onOpenChange={open => !open && onClose()}
      className={`${styles.drawer} ${readable.readable}`}
    >
      <DialogHeader>
        {type ? t('message.titleOf', { type }) : t('message.title')}
      </DialogHeader>
      <Scrolled key={id}>
        {gone ? (
          <Gone />
        ) : (
          <Answered answer={answer} loading={<DrawerSkeleton />}>
            {found => (
              <MessageDetails
                message={found}
                resourceRef={props.resourceRef}
                onOpen={onOpen}
              />
            )}
          </Answered>
        )}
      </Scrolled>
      <DialogFooter className={styles.footer}>
        {message && <Actions key={id} {...props} message={message} />}
      </DialogFooter>
    </Dialog>
  );
}

/** Says that there is none with this id. */
export function Gone() {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  return (
    <Alert
      role="alert"
      status="info"
      icon
      title={t('message.gone')}
      description={t('message.goneDetail')}
    />
  );
}

/** An id that the service cannot read names nothing either. */
export function isGone(error: Error | null): boolean {
  const status = (error as { statusCode?: number } | null)?.statusCode;
  return status === 404 || status === 400;
}

/** Has the focus from the start: the keys that scroll work at once, also where another death has taken the place of the first. */
function Scrolled({ children }: PropsWithChildren<{}>) {
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => body.current?.focus(), []);
  return (
    <DialogBody ref={body} tabIndex={-1} className={styles.body}>
      {children}
    </DialogBody>
  );
}

interface ActionsProps extends MessageDrawerProps {
  message: DeadLetteredMessageDetails;
}

function Actions({ id, resourceRef, onChanged, message }: ActionsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const askAgain = useAskAgain();
  const [begun, setBegun] = useState<string>();
  const changed: ActingProps['onChanged'] = useCallback(
    (stage, operation) => {
      if (stage === 'begun') setBegun(operation.id);
      askAgain(['message']);
      onChanged();
    },
    [askAgain, onChanged],
  );
  const { status, service } = message;
  return (
    <>
      {begun && <Begun id={begun} />}
      {status !== 'dead' && (
        <Text color="secondary">
          {t(
            `message.settled.${
              status === 'redelivered' || status === 'deleted'
                ? status
                : 'other'
            }`,
          )}
        </Text>
      )}
      {(status === 'dead' || (status === 'redelivered' && !begun)) && (
        <Acting
          selection={{ ids: [id], status }}
          service={service}
          resourceRef={resourceRef}
          onChanged={changed}
        />
      )}
    </>
  );
}

/** How the operation goes that was begun here. */
function Begun({ id }: { id: string }) {
  const answer = useOperation(id);
  return (
    <div className={styles.begun}>
      <Answered answer={answer}>
        {operation => <OperationsOf operations={[operation]} />}
      </Answered>
    </div>
  );
}
