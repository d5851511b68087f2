import { OperationDetails } from '@dead-letter/backstage-plugin-dead-letter-common';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { DeadLetterClient } from '../../api/DeadLetterApi';
import {
  answerKey,
  useAnswer,
  useAskAgain,
  useDeadLetter,
} from '../../hooks/useDeadLetter';
import { useEnvironment } from '../../hooks/useEnvironment';
import { lookAgain } from './operation';

/** The question for an operation. */
export function operationKey(id: string): readonly unknown[] {
  return ['operation', id];
}

/** An operation, followed until it ends. */
export function useOperation(id: string) {
  return useAnswer(
    operationKey(id),
    (client, signal) => client.operation(id, signal),
    { every: lookAgain, keep: false },
  );
}

/** Steers an operation; what it answers is shown at once. */
export function useSteer(id: string) {
  const client = useDeadLetter();
  const queries = useQueryClient();
  const askAgain = useAskAgain();
  const { name } = useEnvironment();
  return useMutation<
    OperationDetails,
    Error,
    (client: DeadLetterClient) => Promise<OperationDetails>
  >({
    mutationFn: steer => steer(client),
    onSuccess: details => {
      queries.setQueryData(answerKey(name, operationKey(id)), details);
      askAgain(['operations']);
    },
  });
}
