import {
  useAppNavigate,
  useTranslationRef,
} from '@backstage/frontend-plugin-api';
import {
  Accordion,
  AccordionPanel,
  AccordionTrigger,
  ButtonLink,
  Skeleton,
  Text,
} from '@backstage/ui';
import { useState } from 'react';
import { OperationsRequest } from '../../api/DeadLetterApi';
import { Answered } from '../../components/Answered';
import { useAnswer } from '../../hooks/useDeadLetter';
import { EVERY_MS } from '../../hooks/every';
import {
  useOperationPath,
  useOperationsPath,
} from '../../hooks/useOperationPath';
import { deadLetterTranslationRef } from '../../translation';
import {
  OperationConditions,
  OperationFilters,
  beginOf,
} from './OperationFilters';
import { OperationsTable } from './OperationsTable';

/** As many as are shown here; the page of operations has all. */
const SHOWN = 10;

/** Whose operations they are. */
type OperationsOwner = Pick<
  OperationsRequest,
  'service' | 'squad' | 'errorGroup'
>;

interface OperationHistoryProps {
  owner: OperationsOwner;
  /** Whether they are seen at once, and not only when somebody asks for them. */
  isOpen?: boolean;
}

/** What was done with the dead letters of a service, a squad or an error group, where they are shown. */
export function OperationHistory({ owner, isOpen }: OperationHistoryProps) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [isExpanded, setExpanded] = useState(Boolean(isOpen));
  return (
    <Accordion isExpanded={isExpanded} onExpandedChange={setExpanded}>
      <AccordionTrigger title={t('operations.history')} />
      <AccordionPanel>{isExpanded && <Latest owner={owner} />}</AccordionPanel>
    </Accordion>
  );
}

function Latest({ owner }: { owner: OperationsOwner }) {
  const { t } = useTranslationRef(deadLetterTranslationRef);
  const [conditions, setConditions] = useState<OperationConditions>({});
  const { since, ...others } = conditions;
  const request = { ...owner, ...others, from: beginOf(since), limit: SHOWN };
  const answer = useAnswer(
    ['operations', 'latest', request],
    (client, signal) => client.operations(request, signal),
    { every: EVERY_MS },
  );
  const navigate = useAppNavigate();
  const operationPath = useOperationPath();
  const operationsPath = useOperationsPath();
  return (
    <>
      <OperationFilters conditions={conditions} onChange={setConditions} />
      <Answered
        answer={answer}
        loading={<Skeleton width="100%" height={120} />}
      >
        {({ operations }) =>
          operations.length > 0 ? (
            <OperationsTable
              operations={operations}
              onOpen={id => navigate(operationPath(id))}
            />
          ) : (
            <Text as="p">{t('operations.noneMatch')}</Text>
          )
        }
      </Answered>
      <ButtonLink
        size="small"
        variant="secondary"
        href={operationsPath({ ...owner, ...conditions })}
      >
        {t('operations.all')}
      </ButtonLink>
    </>
  );
}
