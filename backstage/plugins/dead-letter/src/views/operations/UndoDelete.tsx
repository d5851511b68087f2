import { useTranslationRef } from '@backstage/frontend-plugin-api';
import {
  Button,
  ButtonLink,
  Dialog,
  DialogBody,
  DialogFooter,
  DialogHeader,
  Text,
} from '@backstage/ui';
import { Operation } from '@dead-letter/backstage-plugin-dead-letter-common';
import { RiArrowGoBackLine } from '@remixicon/react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Failed } from '../../components/Failed';
import readable from '../../components/readable.module.css';
import {
  useAnswer,
  useAskAgain,
  useDeadLetter,
} from '../../hooks/useDeadLetter';
import { useOperationPath } from '../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../translation';
import { askedOf, isOver } from './operation';
import { sayNumber } from './say';
import { useFollow } from './useFollow';
import { useSteeringAllowed } from './useSteeringAllowed';

/** Takes back what a deletion deleted, once it is said what that means. */
export function UndoDelete({ operation }: { operation: Operation }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const { allowed, loading, permission } = useSteeringAllowed(operation);
  const [isOpen, setOpen] = useState(false);
  const { deleted } = operation.outcomes;
  const canUndo =
    operation.kind === 'delete' && isOver(operation) && deleted > 0;
  const undone = useUndone(operation, canUndo);
  const operationPath = useOperationPath();
  if (!canUndo) return null;
  if (undone) {
    return (
      <ButtonLink
        size="small"
        variant="secondary"
        href={operationPath(undone.id)}
      >
        {t('operations.undo.undone', { who: undone.requestedBy })}
      </ButtonLink>
    );
  }
  if (!loading && !allowed) {
    return (
      <Text variant="body-small" color="secondary" as="p">
        {t('operations.undo.denied', { permission })}
      </Text>
    );
  }
  return (
    <>
      <Button
        variant="secondary"
        isDisabled={loading}
        iconStart={<RiArrowGoBackLine />}
        onPress={() => setOpen(true)}
      >
        {t('operations.undo.button')}
      </Button>
      {isOpen && (
        <UndoDialog operation={operation} onClose={() => setOpen(false)} />
      )}
    </>
  );
}

/** As many of the latest restores are looked through. */
const RESTORES = 50;

/** What restored all that it deleted. */
function useUndone(operation: Operation, enabled: boolean) {
  const { id, createdAt: from, outcomes } = operation;
  const { data } = useAnswer(
    ['operations', 'undone', id],
    (client, signal) =>
      client.operations({ kind: 'restore', from, limit: RESTORES }, signal),
    { enabled, keep: false },
  );
  return data?.operations.find(
    each =>
      askedOf(each).deletedBy === id &&
      each.outcomes.restored >= outcomes.deleted,
  );
}

interface UndoDialogProps {
  operation: Operation;
  onClose: () => void;
}

function UndoDialog({ operation, onClose }: UndoDialogProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const client = useDeadLetter();
  const follow = useFollow();
  const askAgain = useAskAgain();
  const undo = useMutation<Operation, Error>({
    mutationFn: () => client.undoDelete(operation.id),
    onSuccess: restore => {
      askAgain(['operations']);
      follow(restore, askAgain);
      onClose();
    },
  });
  const { deleted } = operation.outcomes;
  const count = { count: deleted, number: sayNumber(deleted) };
  return (
    <Dialog
      isOpen
      onOpenChange={open => !open && onClose()}
      width={480}
      className={readable.readable}
    >
      <DialogHeader>{t('operations.undo.title', count)}</DialogHeader>
      <DialogBody>
        <Text as="p">{t('operations.undo.detail')}</Text>
        <Failed mt="2" title={t('operations.undo.failed')} error={undo.error} />
      </DialogBody>
      <DialogFooter>
        <Button
          variant="secondary"
          // Enter without a look must do nothing.
          // eslint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
          onPress={onClose}
        >
          {t('operations.undo.cancel')}
        </Button>
        <Button isDisabled={undo.isPending} onPress={() => undo.mutate()}>
          {t('operations.undo.run', count)}
        </Button>
      </DialogFooter>
    </Dialog>
  );
}
