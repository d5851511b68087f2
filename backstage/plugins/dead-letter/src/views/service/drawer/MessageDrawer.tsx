import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Alert,
  Button,
  ButtonIcon,
  DialogBody,
  DialogFooter,
  DialogHeader,
  Text,
} from '@backstage/ui';
import {
  DeadLetteredMessageDetails,
  Operation,
} from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiArrowDownLine, RiArrowUpLine } from '@remixicon/react';
import {
  PropsWithChildren,
  useCallback,
  useEffect,
  useRef,
  useState,
} from 'react';
import { Answered } from '../../../components/Answered';
import { Drawer } from '../../../components/Drawer';
import { useAnswer, useAskAgain } from '../../../hooks/useDeadLetter';
import { deadLetterTranslationRef } from '../../../translation';
import { Acting, ActingProps } from '../../acting';
import { OperationsOf } from '../../operations/OperationsOf';
import { useOperation } from '../../operations/useOperation';
import { SendDialog } from '../send/SendDialog';
import { Sending } from '../send/request';
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
  /** Those before and after it in the list that it is in. */
  neighbours?: { previous?: string; next?: string };
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
    <Drawer onClose={onClose}>
      <DialogHeader>
        {type ? t('message.titleOf', { type }) : t('message.title')}
        <Neighbours {...props} />
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
    </Drawer>
  );
}

/** The way to those beside it. */
function Neighbours({ neighbours, onOpen }: MessageDrawerProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  if (!neighbours) return null;
  return (
    <>
      {(['previous', 'next'] as const).map(side => {
        const id = neighbours[side];
        return (
          <ButtonIcon
            key={side}
            size="small"
            variant="tertiary"
            icon={side === 'next' ? <RiArrowDownLine /> : <RiArrowUpLine />}
            aria-label={t(`message.neighbours.${side}`)}
            isDisabled={!id}
            onPress={() => id && onOpen(id)}
          />
        );
      })}
    </>
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
      {isActedOn(status) && (status === 'dead' || !begun) && (
        <Acting
          selection={{ ids: [id], status }}
          services={[service]}
          resourceRef={resourceRef}
          onChanged={changed}
        />
      )}
      {status === 'dead' && !begun && (
        <Sends
          message={message}
          onBegun={operation => changed('begun', operation)}
        />
      )}
    </>
  );
}

function isActedOn(
  status: string,
): status is 'dead' | 'redelivered' | 'deleted' {
  return ['dead', 'redelivered', 'deleted'].includes(status);
}

interface SendsProps {
  message: DeadLetteredMessageDetails;
  onBegun: (operation: Operation) => void;
}

/** Sends it otherwise than as it came. */
function Sends({ message, onBegun }: SendsProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [sending, setSending] = useState<Sending>();
  return (
    <>
      {(['edit', 'copy'] as const).map(each => (
        <Button key={each} variant="secondary" onPress={() => setSending(each)}>
          {t(`send.${each}`)}
        </Button>
      ))}
      {sending && (
        <SendDialog
          sending={sending}
          message={message}
          onClose={() => setSending(undefined)}
          onBegun={operation => {
            setSending(undefined);
            onBegun(operation);
          }}
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
