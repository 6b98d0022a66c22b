#include <proto/consul/coordinate.hpp>
#include <proto/consul/group_keys.hpp>

namespace switchyard::consul {

Structure NetworkCoordinate::structure() {
  using S = NetworkCoordinate;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::adjustment>("Adjustment"),
      field<S, &S::error>("Error"),
      field<S, &S::height>("Height"),
      field<S, &S::vec>("Vec")});
  return kFields;
}

Structure Coordinate::structure() {
  using S = Coordinate;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::node>("Node"), field<S, &S::segment>("Segment"), field<S, &S::coord>("Coord")});
  return kFields;
}

Structure CoordinateUpdateRequest::structure() {
  using S = CoordinateUpdateRequest;
  static constexpr auto kFields = fields(
      std::array{
          field<S, &S::datacenter>("Datacenter"),
          field<S, &S::node>("Node"),
          field<S, &S::segment>("Segment"),
          field<S, &S::coord>("Coord")},
      kWriteRequest<S>);
  return kFields;
}

Structure DatacenterMap::structure() {
  using S = DatacenterMap;
  static constexpr auto kFields = fields(std::array{
      field<S, &S::datacenter>("Datacenter"),
      field<S, &S::area_id>("AreaID"),
      field<S, &S::coordinates>("Coordinates")});
  return kFields;
}

Structure IndexedCoordinates::structure() {
  using S = IndexedCoordinates;
  static constexpr auto kFields =
      fields(std::array{field<S, &S::coordinates>("Coordinates")}, kQueryMeta<S>);
  return kFields;
}

} // namespace switchyard::consul
