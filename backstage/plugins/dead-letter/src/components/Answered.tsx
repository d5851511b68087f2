import { Progress, useTranslationRef } from '@backstage/frontend-plugin-api';
import { Alert, Button } from '@backstage/ui';
import { UseQueryResult } from '@tanstack/react-query';
import { ReactNode } from 'react';
import { deadLetterTranslationRef } from '../translation';
import { isAway, reasonOf } from './Answers';
import { sayAge } from './Time';

interface AnsweredProps<T> {
  answer: UseQueryResult<T, Error>;
  /** What is shown of it. */
  children: (data: T) => ReactNode;
  /** Shown until the first answer; a spinner by default. */
  loading?: ReactNode;
  /** Whether another one on the page already says that nothing answers. */
  awaySaid?: boolean;
}

/** An answer of dead-letter: while it is awaited, when it fails, and when it is no longer up to date. */
export function Answered<T>({
  answer,
  children,
  loading,
  awaySaid = false,
}: AnsweredProps<T>) {
  const { data, error } = answer;
  const said = awaySaid && error !== null && isAway(error);
  return (
    <>
      {error && !said && <Failure answer={answer} error={error} />}
      {data !== undefined && children(data)}
      {data === undefined && (!error || said) && (loading ?? <Progress />)}
    </>
  );
}

function Failure({
  answer,
  error,
}: {
  answer: UseQueryResult<unknown, Error>;
  error: Error;
}) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const away = isAway(error);
  const stale =
    answer.data !== undefined && answer.dataUpdatedAt > 0
      ? t('common.stale', { age: sayAge(new Date(answer.dataUpdatedAt)) })
      : '';
  return (
    <Alert
      role="alert"
      status={away ? 'warning' : 'danger'}
      icon
      mb="4"
      title={away ? t('common.away') : t('common.failed')}
      description={`${
        away ? t('common.awayDetail') : reasonOf(error)
      } ${stale}`}
      customActions={
        <Button
          size="small"
          variant="secondary"
          isPending={answer.isFetching}
          onPress={() => answer.refetch()}
        >
          {t('common.retry')}
        </Button>
      }
    />
  );
}
