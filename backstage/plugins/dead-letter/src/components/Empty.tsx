import { Flex, Text } from '@backstage/ui';
import { RiCheckDoubleLine } from '@remixicon/react';
import { ReactNode } from 'react';

interface EmptyProps {
  title: string;
  description?: string;
  action?: ReactNode;
}

/** There is nothing, and that is good. */
export function Empty({ title, description, action }: EmptyProps) {
  return (
    <Flex direction="column" align="center" gap="2" p="8">
      <RiCheckDoubleLine size={40} aria-hidden />
      <Text variant="title-x-small" as="p">
        {title}
      </Text>
      {description && (
        <Text variant="body-medium" color="secondary" as="p">
          {description}
        </Text>
      )}
      {action}
    </Flex>
  );
}
